//! A policy in a process of its own, in Rust.
//!
//! ```toml
//! [policy.mine]
//! external = ["target/release/examples/external_policy"]
//! ```

mod best_fit;

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut policy = best_fit::BestFit::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", policy.answer(&line?))?;
        out.flush()?;
    }
    Ok(())
}

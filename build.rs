//! Tells the tests what this machine has: those that need more are ignored, and
//! say so.

use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Real traces and price lists beside the repository, which are not ours to ship.
    flag("shared_data", Path::new("../shared/data").is_dir());
    // An interpreter for the Python client and for the importer of catalogs.
    let python = Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    flag("python3", python.is_ok_and(|status| status.success()));
}

fn flag(name: &str, present: bool) {
    println!("cargo::rustc-check-cfg=cfg({name})");
    if present {
        println!("cargo::rustc-cfg={name}");
    }
}

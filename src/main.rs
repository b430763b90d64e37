//! windtunnel
fn main() {}

//! One test binary: each file here is a module, linked once.

mod policies;
mod provenance;
mod rlscheduler;

//! Work with a deadline on spot instances: "Can't Be Late" and SkyNomad, in the ticks of their own
//! simulators.

mod archive;
mod late;
mod own;
mod skynomad;
mod ticks;

pub use late::{cant_be_late, poisson};
pub use skynomad::skynomad;

//! Quantities as types, ids and tables, named random streams and samplers.
//!
//! A time, a span, an amount of money and a rate cannot be mixed up; sums are
//! exact because everything inside the simulator is an integer.

mod id;
mod money;
mod resources;
mod time;

pub mod distribution;
pub mod rank;
pub mod rounding;
pub mod stream;

pub use distribution::{Distribution, standard_normal, standard_normal_tail};
pub use id::{Id, IdVec};
pub use money::{Money, Rate};
pub use resources::{Demand, Free, MAX_GPUS, Occupancy, Scalar, Shape, WHOLE_GPU};
pub use stream::Stream;
pub use time::{Calendar, Span, Time};

//! Usage of cloud accounts becomes their bill, in four steps, one module each.
//!
//! - [`usage`]: what was used, by whom, when: lines of one product each.
//! - [`rate`]: the provider's rule and the price of that moment: time that is billed, amounts at
//!   list price and at the negotiated one.
//! - [`settle`]: what is known only when an hour or a month is over: commitments in the provider's
//!   documented order, tiers, sustained use.
//! - [`split`]: settled money goes to whoever caused it, by metered share.
//!
//! What commitments there are may be decided while usage comes in ([`purchase`]).
//!
//! All amounts are whole nano-dollars and all quantities whole millionths of a unit, so the pieces
//! of a line sum to the line, and the charges to the bill.

pub mod account;
pub mod advice;
pub mod charge;
pub mod commitment;
pub mod credit;
pub mod currency;
pub mod feed;
pub mod focus;
pub mod month;
pub mod offering;
pub mod parts;
pub mod rate;
pub mod reservation;
pub mod rules;
pub mod settle;
pub mod split;
pub mod table;
pub mod terms;
pub mod usage;

use windtunnel_core::{problem, purchase, units};

//! As `online`, with a threshold that is drawn.

use std::f64::consts::E;

use super::online::Online;
use super::{PurchasePart, UnitCosts};
use crate::part::Part;

/// As [`ONLINE`](super::ONLINE), with a threshold that is drawn once.
///
/// Wang, Li and Liang (arXiv 1305.5608): the mean bill is at most `e / (e - 1 + alpha)` times the
/// least that is possible. Their threshold `z` on what is paid on demand has the density
/// `(1 - alpha) e^((1 - alpha) z) / (e - 1 + alpha)` from 0 to `beta = 1 / (1 - alpha)`. With
/// `w = z / beta` that is `e^w / (e - 1 + alpha)` from 0 to 1, and `w` is the share of the hours of
/// `online` that is waited for.
///
/// With what is left, `alpha / (e - 1 + alpha)`, no unit is ever bought. That follows from the bound:
/// after `x beta` on demand, the mean cost must not grow faster with `x` than the bound does, up to
/// `x = 1` nor beyond. Bought at `beta`, the mean would be above it wherever `0 < alpha < 1`.
pub static ONLINE_RANDOMISED: PurchasePart = Part {
    name: "online-randomised",
    doc: "As online, with a part of its threshold that is drawn once.",
    parameters: &[],
    make: |_| Box::new(|costs, draw| Box::new(Online::new(costs, most(costs, draw)))),
};

/// Hours without cover that are waited for; without end, where nothing is ever bought.
fn most(costs: UnitCosts, draw: f64) -> u64 {
    let whole = costs.most_idle_use(costs.hours, 0);
    let share = share(costs.alpha(), draw);
    if share >= 1.0 || whole == u64::MAX {
        return u64::MAX;
    }
    let exact = costs.break_even_hours() * share;
    (exact as u64).min(whole)
}

/// The share `w` of the threshold at which its distribution, `(e^w - 1) / (e - 1 + alpha)`, comes to
/// `draw`: 1 and more beyond the last that has a density.
fn share(alpha: f64, draw: f64) -> f64 {
    libm::log1p(draw * (E - 1.0 + alpha))
}

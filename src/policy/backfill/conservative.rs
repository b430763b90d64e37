//! Conservative.
use super::{Backfill, Pass};
/// Conservative.
#[derive(Debug, Default)]
pub struct Conservative;
impl Backfill for Conservative {
    fn needs_ends(&self) -> bool {
        true
    }
    fn fill(&mut self, _pass: &mut Pass<'_, '_, '_, '_>) {}
}

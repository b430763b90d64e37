//! EASY.
use super::{Backfill, Pass};
/// EASY.
#[derive(Debug, Default)]
pub struct Easy;
impl Backfill for Easy {
    fn needs_ends(&self) -> bool {
        true
    }
    fn fill(&mut self, _pass: &mut Pass<'_, '_, '_, '_>) {}
}

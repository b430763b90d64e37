//! `[[outage]]` of bills: what broke a provider's promise, where, from when and until when.

use super::UNIX;
use crate::billing::credit::ServiceOutage;
use crate::billing::usage::Service;
use crate::scenario::section::ConfigTable;

/// The outage, where it is one that a bill can tell: of all machines or launches of one provider and
/// region, or of one zone of it, between two dates. One that is drawn or counted from the start of a
/// run, or in which some machines went on, is none.
pub(super) fn read(section: &ConfigTable) -> Option<ServiceOutage> {
    let in_part = ["every", "event", "share", "speed"].iter().any(|key| section.has(key));
    let launches_only = match section.text("plane").unwrap_or("machines") {
        "machines" => false,
        "launches" => true,
        _ => return None,
    };
    let instant = |key| section.integer(key).map(|micros| UNIX.time(micros));
    let owned = |key| section.text(key).map(str::to_owned);
    if in_part {
        return None;
    }
    Some(ServiceOutage {
        provider: owned("provider")?,
        service: Service::Compute,
        region: owned("region")?,
        zone: owned("zone"),
        launches_only,
        from: instant("from")?,
        until: instant("until")?,
    })
}

//! The table of a drill: what each blow does to each policy.

use super::super::document::{Cell, Table, Tone};
use super::super::figure::{NOTHING, clean, difference, figure};
use super::DrillReport;

/// What each blow does to one policy.
pub(super) fn breakages(report: &DrillReport<'_>, policy: usize) -> Table {
    let drill = report.drill;
    let title = format!("What breaks {}", clean(&drill.policies[policy]));
    let mut table = Table::new(&title, &["struck", "kind"]);
    table.words = 2;
    if !drill.objectives.is_empty() {
        table.head.push("promises broken in".to_owned());
    }
    let rest = ["deadlines met", "left undone", "extra cost", "core-hours lost", "recovered after"];
    table.head.extend(rest.map(str::to_owned));
    for (row, blow) in drill.blows.iter().enumerate() {
        let found = drill.breakage(row, policy);
        let mut cells =
            vec![Cell::plain(clean(&blow.name)), Cell::plain(blow.kind.name().to_owned())];
        let breaks = drill.breaks(row, policy);
        if !drill.objectives.is_empty() {
            let broken = drill.objectives.iter().zip(&found.broken);
            let named = broken.filter(|(_, times)| **times > 0);
            let named: Vec<&str> = named.map(|(one, _)| one.metric.label).collect();
            cells.push(Cell {
                text: format!("{} of {}", found.any, drill.replications),
                below: named.join(", "),
                tone: if breaks { Tone::Bad } else { Tone::Plain },
            });
        }
        let deadlines = found.deadlines.map(|fewer| difference("share", -fewer));
        cells.extend([
            Cell::plain(deadlines.unwrap_or_else(|| NOTHING.to_owned())),
            Cell {
                text: figure("count", Some(found.undone)),
                below: String::new(),
                tone: if breaks && found.undone > 0.0 { Tone::Bad } else { Tone::Plain },
            },
            Cell::plain(
                found.extra_cost.map_or_else(|| NOTHING.to_owned(), |cost| difference("USD", cost)),
            ),
            Cell::plain(figure("h", Some(found.lost_core_hours))),
            Cell::plain(
                found.recovery.map_or_else(|| "never".to_owned(), |secs| figure("s", Some(secs))),
            ),
        ]);
        table.rows.push(cells);
    }
    table
}

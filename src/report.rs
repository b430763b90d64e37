//! Results become files, tables, charts and pages. Everything is written into
//! what it is given, and the same results give the same bytes.

mod charges;
mod chart;
mod check;
mod comparison;
mod explain;
mod figure;
mod instances;
mod jobs;
mod page;
mod run;
mod section;
mod sheet;
mod terminal;
#[cfg(test)]
mod testing;
mod timeline;

pub use charges::ChargesCsv;
pub use chart::{Chart, Scene, comparison_charts, replication_charts, run_charts};
pub use check::CheckReport;
pub use comparison::{Comparison, PolicyResult};
pub use explain::ExplainCsv;
pub use figure::{clean, difference, figure};
pub use instances::InstancesCsv;
pub use jobs::JobsCsv;
pub use page::{write_comparison_page, write_run_page};
pub use run::{InputHash, ObjectiveResult, Recipe, RunReport, Side};
pub use sheet::TextCells;
pub use terminal::{Terminal, comparison_text, run_text};
pub use timeline::write_timeseries;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;

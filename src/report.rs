//! Results become files, tables, charts and pages. Everything is written into
//! what it is given, and the same results give the same bytes.

mod backtest;
mod charges;
mod chart;
mod check;
mod comparison;
mod explain;
mod figure;
mod instances;
mod jobs;
mod page;
mod plan;
mod run;
mod section;
mod sheet;
mod sweep;
mod terminal;
#[cfg(test)]
mod testing;
mod timeline;

pub use backtest::{BacktestReport, calibration_text};
pub use charges::ChargesCsv;
pub use chart::{
    Chart, Scene, backtest_charts, comparison_charts, plan_charts, replication_charts, run_charts,
    sweep_charts,
};
pub use check::CheckReport;
pub use comparison::{Between, Comparison, PolicyResult};
pub use explain::ExplainCsv;
pub use figure::{clean, difference, figure};
pub use instances::InstancesCsv;
pub use jobs::JobsCsv;
pub use page::{
    write_backtest_page, write_comparison_page, write_plan_page, write_run_page, write_sweep_page,
};
pub use plan::PlanReport;
pub use run::{InputHash, ObjectiveResult, Recipe, RunReport, Side};
pub use sheet::{TextCells, guarded};
pub use sweep::{SweepReport, usual_metrics};
pub use terminal::{Terminal, backtest_text, comparison_text, plan_text, run_text, sweep_text};
pub use timeline::write_timeseries;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;

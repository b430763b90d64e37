//! Results become files, tables, charts and pages. Everything is written into
//! what it is given, and the same results give the same bytes.

mod alerts;
mod budgets;
mod backtest;
mod bill;
mod breakdown;
mod chargeback;
mod charges;
mod chart;
mod check;
mod commit;
mod comparison;
mod days;
mod drill;
mod document;
mod explain;
mod figure;
mod files;
mod fit;
mod instances;
mod jobs;
mod keyed;
mod outlook;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod recipe;
mod run;
mod score;
mod sheet;
mod sweep;
#[cfg(test)]
mod testing;
mod timeline;
mod words;

#[cfg(feature = "parquet")]
pub use self::parquet::write_parquet;
pub use alerts::{AlertReport, LoggedAlert, RuleReport};
pub use backtest::{BacktestReport, Calibrated};
pub use bill::{BillCsv, BillReport, SettledBill};
pub use budgets::{BudgetReport, CrossedThreshold, SpellReport, write_budgets};
pub use chargeback::ChargebackReport;
pub use charges::ChargesCsv;
pub use chart::{
    Chart, Scene, backtest_charts, commit_charts, comparison_charts, drill_charts, money_charts,
    outlook_charts, plan_charts, replication_charts, run_charts, sweep_charts,
};
pub use check::{CheckReport, LeftOut, one_line};
pub use commit::CommitReport;
pub use comparison::{Between, ComparisonReport, ComparisonResults, PolicyResult};
pub use days::{DailyTable, write_days};
pub use document::{Answer, Document, Terminal};
pub use drill::DrillReport;
pub use explain::{ExplainCsv, Holder, KEPT_TO};
pub use figure::{clean, difference, figure};
pub use files::{MANIFEST, RESULTS, ResultFiles, ResultFolder, write_page};
pub use fit::FitReport;
pub use instances::InstancesCsv;
pub use jobs::JobsCsv;
pub use outlook::OutlookReport;
pub use plan::{PlanReport, search_progress};
pub use recipe::{InputHash, Recipe};
pub use run::{BoundSide, ObjectiveResult, ObjectiveWindows, RunReport};
pub use score::ScoreReport;
pub use sheet::{TextCells, guarded};
pub use sweep::{SweepReport, usual_metrics};
pub use timeline::write_timeseries;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;

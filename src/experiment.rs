//! Runs of scenarios: one, many to be compared, and the simulator against
//! textbooks.

pub mod backtest;
pub mod bound;
pub mod check;
mod backlog;
pub mod bill;
mod caution;
mod charge_tally;
mod chargeback;
pub mod commit;
mod commitment_course;
mod compare;
mod cost;
mod decision;
mod failure;
mod job_outcome;
mod runner;
mod lint;
mod measurement;
mod obstacle;
pub mod published;
mod replication;
mod score;
pub mod search;
mod sensitivity;
mod setting_range;
mod purchasing;
mod settlement;
mod single;
mod spending;
mod space;
pub mod statistics;
mod event_log;
mod survey;
pub mod drill;
pub mod sweep;
pub mod verify;

pub use backlog::{backlog, waiting};
pub use caution::{
    CautionedRun, EstimatedShare, Facts, carbon_gaps, cautions, energy_gaps, estimated_prices,
    nothing_to_gate, unestimated,
};
pub use chargeback::{Chargeback, ChargebackParts, ChargebackRow};
pub use commitment_course::{CommitmentCourse, CommitmentUse};
pub use compare::{
    Arm, Asked, Chance, ComparedArms, ComparedPolicy, Comparison, Contrast, CostEffects, Evidence,
    ExperimentFailure, HALF_A_CENT, JUDGED, Judging, ProductEffect, RepetitionPlan, TermsEffect,
    WaterfallStep, Wide, compare, least_difference, plan,
};
pub use cost::leading_cost;
pub use decision::{
    Assessment, Decision, NEAR, Promise, PromiseChange, SERVICE, Saving, WorkRatio, decide,
    leading, work_ratio,
};
pub use event_log::{EntryReason, EventLog, EventLogEntry, PolicyView, RecordRange};
pub(crate) use event_log::{numbers, refusal, rejection};
pub use job_outcome::{JobOutcome, JobOutcomes, MAX_JOB_OUTCOMES};
pub use lint::{lint, offered};
pub use measurement::{Course, MeasuredCostPart, Measurement, WorkDone, mean_interval};
pub(crate) use obstacle::{limited, obstacle, unused};
pub use purchasing::Purchasing;
pub use replication::Repetition;
pub use runner::{
    FullRun, NoCache, NoProgress, ProgressWatch, RunCache, RunRequest, Runner, RunnerFailure,
    is_synthetic, share_inputs, share_suite,
};
pub use score::{Possible, Score, ScoredPolicy};
pub use sensitivity::{Influence, Sensitivity, sensitivity};
pub use settlement::{LineUse, SettledRun, Settlement};
pub use single::{RunFailure, RunResult, Settings, run, run_with};
pub use spending::ProductSpending;
pub use survey::{Impossible, Survey, SurveyedLoad, Unsurveyed, survey};

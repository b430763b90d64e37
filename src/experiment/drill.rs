//! A drill: parts of the world are knocked out, one at a time, and every policy is held against its
//! own calm run of the same work. What breaks a promise is a single point of failure.

mod blow;
mod recovery;
mod table;
#[cfg(test)]
pub(crate) mod testing;

use rayon::prelude::*;

use super::compare::{Arm, Asked, ExperimentFailure, plan};
use super::measurement::Measurement;
use super::replication::Repetition;
use super::runner::{RunRequest, Runner, RunnerFailure};
use super::setting_range;
use crate::scenario::Scenario;
use crate::units::{Span, Stream, Time};

pub use blow::{Blow, BlowKind, blows};
pub use recovery::recovery;
pub use table::{Breakage, Drill, Struck};

/// Replications where nothing else is said.
const USUAL: u32 = 5;
/// Shares of the time in which work arrives between which blows fall.
const MIDDLE: [f64; 2] = [0.2, 0.8];

/// Settings of a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillPlan {
    /// Rows of the policies in the scenario; at least one.
    pub policies: Vec<usize>,
    /// Time for which what is knocked out is gone; `None` is for ever. Known outages last as long as
    /// they did.
    pub lasts: Option<Span>,
    /// Replications; as many as a sweep has where it is `None`.
    pub replications: Option<u32>,
}

/// Strikes every part of the scenario that a policy of the plan uses, in every replication at one
/// moment of its own, the same for all parts and policies.
///
/// # Errors
/// See [`ExperimentFailure`]; also where there is nothing to strike.
pub fn drill(
    runner: &Runner<'_>,
    scenario: &Scenario,
    plan: &DrillPlan,
) -> Result<Drill, ExperimentFailure> {
    if let Some(problem) = setting_range::of_rows(scenario, &plan.policies) {
        return Err(ExperimentFailure::Problem(problem));
    }
    let blows = blows(scenario, &plan.policies);
    let (repetition, replications) = repetition(runner, scenario, plan)?;
    let count = replications as usize;
    runner.watch.expect(count * plan.policies.len());
    let calm = measure(runner, scenario, plan, repetition, 0..replications)
        .map_err(ExperimentFailure::Runs)?;
    let moments: Vec<Time> = calm[..count]
        .iter()
        .enumerate()
        .map(|(row, run)| moment(scenario.seed, row as u32, run))
        .collect();
    let rows: Vec<(usize, usize)> =
        (0..blows.len()).flat_map(|blow| (0..count).map(move |row| (blow, row))).collect();
    runner.watch.expect(rows.len() * plan.policies.len());
    let runs = rows.par_iter().map(|&(blow, row)| {
        let struck = blows[blow].strike(scenario, moments[row], plan.lasts);
        let row = row as u32;
        measure(runner, &struck, plan, repetition, row..row + 1)
    });
    let runs: Vec<Vec<Measurement>> =
        runs.collect::<Result<_, RunnerFailure>>().map_err(ExperimentFailure::Runs)?;
    let struck = runs.into_iter().zip(&rows).flat_map(|(runs, &(blow, replication))| {
        let calm = &calm;
        let moment = moments[replication];
        runs.into_iter().enumerate().map(move |(policy, run)| {
            Struck::of(blow, policy, replication, moment, &calm[policy * count + replication], run)
        })
    });
    let mut struck: Vec<Struck> = struck.collect();
    struck.sort_by_key(|one| (one.blow, one.policy, one.replication));
    Ok(Drill {
        policies: plan.policies.iter().map(|&row| scenario.policies[row].name.clone()).collect(),
        objectives: scenario.objectives.clone(),
        blows,
        lasts: plan.lasts,
        repetition,
        replications,
        seeds: (0..replications).map(|row| repetition.seed(scenario, row)).collect(),
        moments,
        calm,
        struck,
    })
}

/// Repetition and replications: as a comparison of the policies would, but fewer times.
fn repetition(
    runner: &Runner<'_>,
    scenario: &Scenario,
    plan_of: &DrillPlan,
) -> Result<(Repetition, u32), ExperimentFailure> {
    let side = |&row: &usize| {
        let policy = &scenario.policies[row];
        Arm { name: &policy.name, scenario, policy }
    };
    let sides: Vec<Arm<'_>> = plan_of.policies.iter().map(side).collect();
    let often = plan_of.replications.unwrap_or(USUAL);
    let asked = Asked { replications: Some(often), ..Asked::default() };
    let planned = plan(runner, &sides, asked)?;
    Ok((planned.repetition, planned.replications))
}

/// Runs of every policy over some replications, policy by policy.
fn measure(
    runner: &Runner<'_>,
    scenario: &Scenario,
    plan: &DrillPlan,
    repetition: Repetition,
    replications: std::ops::Range<u32>,
) -> Result<Vec<Measurement>, RunnerFailure> {
    let of = |&row: &usize| {
        replications.clone().map(move |replication| RunRequest {
            scenario,
            policy: &scenario.policies[row],
            repetition,
            replication,
        })
    };
    let cells: Vec<RunRequest<'_>> = plan.policies.iter().flat_map(of).collect();
    runner.measure(&cells)
}

/// The moment of a replication's blows: somewhere in the middle of the time in which work arrives,
/// to the second.
fn moment(seed: u64, replication: u32, calm: &Measurement) -> Time {
    let drawn = Stream::of(seed, "drill", u64::from(replication)).uniform();
    let share = MIDDLE[0] + (MIDDLE[1] - MIDDLE[0]) * drawn;
    let start = Time::ZERO + Span::from_secs_f64(calm.course.start_s).unwrap_or(Span::ZERO);
    start + Span::from_secs((share * calm.arrivals_s) as i64)
}

#[cfg(test)]
mod tests {
    use super::testing::drilled;
    use super::*;

    /// The cluster has a spare node, so one machine fewer delays nobody; without the cluster `stays`
    /// has nothing for six hours, and `rents` goes on in the cloud. Nothing of the cloud is needed.
    #[test]
    fn what_breaks_is_what_nothing_stands_in_for() {
        let drill = drilled();
        let names: Vec<&str> = drill.blows.iter().map(|blow| blow.name.as_str()).collect();
        let want = [
            "the first machine of each offer of aws",
            "a machine of dc1",
            "aws",
            "dc1",
            "launches of aws",
        ];
        assert_eq!(&names[..5], &want);
        assert!(names.contains(&"aws-2025-10-20"), "{names:?}");
        // A policy that rents nothing meets nothing of the cloud.
        let scenario = Scenario::parse(testing::HOURLY, "a.toml", std::path::Path::new(""), &[]);
        let own = blows(&scenario.expect("a scenario"), &[0]);
        let own: Vec<&str> = own.iter().map(|blow| blow.name.as_str()).collect();
        assert_eq!(own, ["a machine of dc1", "dc1"]);
        let of = |policy| -> Vec<&str> {
            drill.single_points(policy).into_iter().map(|blow| names[blow]).collect()
        };
        assert_eq!((of(0), of(1)), (vec!["dc1"], vec![]));
        // The moments are the same for all policies and blows.
        let moments = |blow, policy| -> Vec<Time> {
            drill.runs(blow, policy).iter().map(|run| run.moment).collect()
        };
        assert_eq!((moments(0, 0), moments(3, 1)), (drill.moments.clone(), drill.moments.clone()));
        // A job that waits for the repair of six hours.
        let lost = drill.breakage(3, 0);
        assert_eq!(lost.broken, [2]);
        assert!(lost.recovery.is_some_and(|secs| (18_000.0..36_000.0).contains(&secs)), "{lost:?}");
        assert!(lost.lost_core_hours > 0.0 && lost.lost_core_hours <= 8.0 * 50.0 / 60.0);
        assert_eq!(drill.breakage(0, 0).recovery, Some(0.0));
        // One node does the work of two with a delay of less than an hour that melts away.
        assert!(drill.breakage(1, 0).recovery.is_some_and(|secs| secs < 6.0 * 3_600.0));
        assert_eq!(drill.failures(Some(BlowKind::Provider), Some(0)), [(3, 0)]);
        assert_eq!(drill.failures(Some(BlowKind::Launches), None), []);
    }
}

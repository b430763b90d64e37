//! `windtunnel score`: one policy over a suite as one JSON object.

use super::args::ScoreArgs as Arguments;
use super::check::stop_experiment;
use super::exit::{CommandResult, Stop};
use super::guard::ResourceGuard;
use super::load;
use super::session::ExperimentSession;
use windtunnel::experiment::{self, ScoredPolicy};
use windtunnel::report::ScoreReport;
use windtunnel::scenario::{Suite, Tested};

/// Scores a policy.
pub(super) fn score(arguments: &Arguments) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    let mut suite = Suite::load(&arguments.suite)?;
    for tested in &mut suite.scenarios {
        arguments.bounds.limit(&mut tested.scenario);
    }
    experiment::share_suite(&mut suite)
        .map_err(|failure| Stop::of_run(failure, &arguments.suite.display().to_string()))?;
    let how = (arguments.quiet, false);
    let mut session = ExperimentSession::bare(guard, "scoring", how, arguments.threads)?;
    let scenarios = session.work(|runner| {
        let one = |tested: &Tested| {
            let candidate = load::policy_or_file(&tested.scenario, &arguments.policy)?;
            ScoredPolicy::of(runner, tested, candidate).map_err(stop_experiment)
        };
        suite.scenarios.iter().map(one).collect::<Result<Vec<_>, Stop>>()
    })?;
    let report = ScoreReport { suite: &suite.name, policy: &arguments.policy, scenarios };
    report.write_json(&mut std::io::stdout().lock())?;
    Ok(())
}

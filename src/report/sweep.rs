//! A sweep in files and words: every run, every point, the answer and what it
//! hangs on.

mod data;
mod document;
mod findings;
mod table;

use super::recipe::Recipe;
use crate::experiment::sweep::Sweep;
use crate::metrics::{METRICS, Metric};

#[cfg(test)]
pub(super) use data::{POINT_COLUMNS, RUN_COLUMNS};

/// A sweep, and what of it is shown first.
#[derive(Clone, Debug)]
pub struct SweepReport<'a> {
    /// Question that the scenario asks, if it says so.
    pub question: Option<&'a str>,
    /// The sweep, with all its points and runs.
    pub sweep: &'a Sweep,
    /// Rows of [`METRICS`] that tables and charts show.
    pub metrics: Vec<usize>,
    /// The one of [`METRICS`] that points are ranked by.
    pub goal: usize,
    /// Inputs that made it.
    pub recipe: Option<&'a Recipe>,
    /// Assumptions that were made.
    pub assumptions: &'a [String],
    /// Further cautions to say beside the answer.
    pub cautions: &'a [String],
}

impl SweepReport<'_> {
    /// Whether the means of any point keep all objectives.
    pub fn keeps_promises(&self) -> bool {
        let best = crate::experiment::sweep::best_of_all(self.sweep, self.goal);
        best.is_some_and(|best| best.keeps)
    }

    /// The metric that points are ranked by.
    pub(super) fn ranked_by(&self) -> &'static Metric {
        &METRICS[self.goal]
    }

    /// The policy that the answer is about: that of the best point.
    pub(super) fn chosen(&self) -> usize {
        let best = crate::experiment::sweep::best_of_all(self.sweep, self.goal);
        best.map_or(0, |best| best.policy)
    }
}

/// Metrics that a sweep shows without being asked for: those of its objectives, or else cost,
/// deadlines and waits; what no run shows is left out.
pub fn usual_metrics(sweep: &Sweep, goal: usize) -> Vec<usize> {
    let promised = sweep.objectives.iter().map(|objective| objective.metric.key);
    let usual = ["cost_total", "deadlines_met", "wait_p95"];
    let keys: Vec<&str> =
        if sweep.objectives.is_empty() { usual.to_vec() } else { promised.collect() };
    let rows = keys.into_iter().filter_map(crate::experiment::sweep::row_of);
    let mut metrics = vec![goal];
    for row in rows {
        let shown = sweep.runs.iter().any(|run| run.metrics[row].is_some());
        if shown && !metrics.contains(&row) {
            metrics.push(row);
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::experiment::sweep::testing::{by_hand, sweep};
    use crate::experiment::sweep::{Design, SweepPoint};
    use crate::report::{Terminal, TextCells, sweep_charts};

    #[test]
    fn words_of_a_sweep() {
        let sweep = by_hand();
        let report = SweepReport {
            question: Some("?"),
            sweep: &sweep,
            metrics: vec![0],
            goal: 0,
            recipe: None,
            assumptions: &[],
            cautions: &[],
        };
        expect![[r#"
            ?
            4 points (grid), 1 policy, 2 replications

            p with c.nodes = 1, p.preset = x has the lowest cost that keeps the objective on average: $11.00.
              - Money: cost $11.00 ± $12.71, $11.00 per month.
              - Promises: the objective is kept in 2 of 2 replications.
              - What moves it most: c.nodes; cost is $31.00 ± $12.71 more at 2 than at 1, on average over the
                other settings.
              - How sure: 2 replications, one seed each, fewer than the 20 of compare because a sweep looks at
                many points: add --replications 20; kept means kept by their mean. The best of many points on
                the same seeds looks a little better than it is: compare it on other seeds before relying on it.
              ! The best is not told apart from p with c.nodes = 2, p.preset = x: the intervals of the
                difference in cost hold zero.
              ! The best lies at the end of the range of c.nodes: a wider one may hold a better one.

              cost                  $11.00                c.nodes = 1, p.preset = x
              cost per month        $11.00                $132 per year
              all promises kept     2 of 2                replications

            Best point of each policy
            ──────────────────────────────────────────────────────
             policy   c.nodes   p.preset       cost   all kept in 
            ──────────────────────────────────────────────────────
             p              1   x            $11.00        2 of 2 
                                           ± $12.71               
            ──────────────────────────────────────────────────────

            What matters under p
            ───────────────────────────────────────────────────────────────────────────
             metric   setting    lowest at            highest at            difference 
            ───────────────────────────────────────────────────────────────────────────
             cost     c.nodes    1           $16.00            2   $47.00      +$31.00 
                                                                              ± $12.71 
             cost     p.preset   x           $21.50            y   $41.50      +$20.00 
            ───────────────────────────────────────────────────────────────────────────
        "#]].assert_eq(&report.document(Vec::new()).text(Terminal::PLAIN));
    }

    #[test]
    fn files_of_a_sweep() {
        let sweep = by_hand();
        let report = SweepReport {
            question: None,
            sweep: &sweep,
            metrics: vec![0],
            goal: 0,
            recipe: None,
            assumptions: &[],
            cautions: &[],
        };
        let cut = |file: std::io::Result<Vec<u8>>, columns: usize| -> String {
            let text = String::from_utf8(file.expect("memory takes everything")).expect("text");
            let row =
                |line: &str| line.split(',').take(columns).collect::<Vec<_>>().join(",") + "\n";
            text.lines().map(row).collect()
        };
        let runs = report.write_runs(Vec::new(), TextCells::Guarded);
        expect![[r#"
            point,cluster.c.nodes,policy.p.preset,policy,replication,seed,objectives_kept,event_hash
            0,1,x,p,0,1,1,f00d
            0,1,x,p,1,2,1,f00d
            1,1,y,p,0,1,1,f00d
            1,1,y,p,1,2,1,f00d
            2,2,x,p,0,1,1,f00d
            2,2,x,p,1,2,1,f00d
            3,2,y,p,0,1,0,f00d
            3,2,y,p,1,2,0,f00d
        "#]]
        .assert_eq(&cut(runs, 8));
        let points = report.write_points(Vec::new(), TextCells::Guarded);
        expect![[r#"
            point,cluster.c.nodes,policy.p.preset,policy,replications,all_objectives_kept,cost_total,cost_total_low
            0,1,x,p,2,2,11,0
            1,1,y,p,2,2,21,8.293795263825308
            2,2,x,p,2,2,32,6.587590527650615
            3,2,y,p,2,0,62,36.58759052765062
        "#]].assert_eq(&cut(points, 8));
    }

    fn page(sweep: &Sweep) -> (Vec<String>, String) {
        let report = SweepReport {
            question: None,
            sweep,
            metrics: vec![0],
            goal: 0,
            recipe: None,
            assumptions: &[],
            cautions: &[],
        };
        let charts = sweep_charts(&report);
        for chart in &charts {
            assert!(
                chart.svg().expect("a chart can be drawn").contains("</svg>"),
                "{}",
                chart.name
            );
        }
        let mut page = Vec::new();
        let names = charts.iter().map(|chart| chart.name.clone()).collect();
        report.document(charts).write_page(&mut page).expect("memory takes everything");
        (names, String::from_utf8(page).expect("a page is text"))
    }

    #[test]
    fn the_page_of_a_grid() {
        let (names, text) = page(&by_hand());
        let want = [
            "sweep-tornado-cost_total",
            "sweep-cost_total-by-1-c-nodes",
            "sweep-cost_total-by-2-p-preset",
            "sweep-cost_total-interaction-1-c-nodes-2-p-preset",
        ];
        assert_eq!(names, want);
        assert!(text.contains("No mean departs from their sum by more than $5.00."));
        assert!(text.contains("cluster.c.nodes=1,2"));
    }

    #[test]
    fn pairs_of_numbers_are_shown_as_heat() {
        let axes = [("cluster.c.nodes", "1..9:3"), ("cluster.d.nodes", "log:1..100:3")];
        let cost = |point: &SweepPoint, _: usize| point.levels[0].at * point.levels[1].at;
        let (names, text) = page(&sweep(&axes, Design::Grid, cost));
        assert_eq!(
            names.last().map(String::as_str),
            Some("sweep-cost_total-heat-1-c-nodes-2-d-nodes")
        );
        assert!(text.contains("$900 ✗"), "the dearest point breaks its promise");
    }

    #[test]
    fn hostile_keys_stay_words() {
        let axes = [("policy.\"../<script>\".x", "1..9"), ("cluster.d.nodes", "a,b\u{1b}")];
        let cost = |point: &SweepPoint, _: usize| point.levels[0].at;
        let (names, text) = page(&sweep(&axes, Design::LatinHypercube(9), cost));
        assert_eq!(names[1], "sweep-cost_total-by-1---script---x");
        assert!(!text.contains("<script") && !text.contains('\u{1b}'));
    }
}

//! FGD's default experiment in its band, on two seeds; EASY on a log start by start; work with a
//! deadline on spot instances.

use std::path::Path;

use windtunnel::experiment::published::{
    EXPERIMENTS, PublishedResult, cant_be_late, fgd, lets_wait_awhile, poisson, skynomad,
    users_estimates,
};

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn placements_come_out_as_published() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/gpu");
    let cells = fgd(&data, "default", 2).expect("the data can be read");
    assert_eq!(cells.len(), 12);
    for cell in &cells {
        assert!(cell.reproduced(), "{}: {} and {}", cell.name, cell.ours, cell.reference);
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn easy_starts_every_job_of_a_log_when_the_papers_rule_does() {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/swf/KTH-SP2-1996.swf.gz");
    let cells = users_estimates(&log).expect("the log can be read");
    assert_eq!(cells.len(), 1);
    assert!(cells[0].reference > 28_000.0, "{cells:?}");
    assert!(cells[0].reproduced(), "{cells:?}");
}

fn spot() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/spot")
}

fn all_reproduced(cells: &[PublishedResult]) {
    let differing: Vec<&PublishedResult> = cells.iter().filter(|cell| !cell.reproduced()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

/// All 594 costs of UP(S), UP(A) and UP(AP), and the 1,278 of UP in one zone.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn every_cost_of_skynomads_rivals_comes_out() {
    let cells = skynomad(&spot()).expect("the data can be read");
    all_reproduced(&cells);
    let counted = |policy: &str| {
        let own = cells.iter().filter(|cell| cell.quantity.starts_with("costs within"));
        own.filter(|cell| cell.name.ends_with(policy)).map(|cell| cell.ours).sum::<f64>()
    };
    assert_eq!(["UP(S)", "UP(A)", "UP(AP)"].map(counted), [198.0; 3]);
    assert_eq!(counted(", UP"), 1_278.0);
    // As the paper's figures have them: the deadline at 1.05 and twice the work, and all zones.
    let table = [
        ("deadline 1.05", [2_512.67, 1_187.64, 1_293.02, 1_173.36]),
        ("deadline 2", [1_125.46, 568.98, 641.12, 509.89]),
        ("Global (13)", [1_846.63, 709.63, 3_085.75, 837.22]),
    ];
    for (row, means) in table {
        for (policy, mean) in ["UP", "UP(S)", "UP(A)", "UP(AP)"].into_iter().zip(means) {
            let name = format!("SkyNomad, {row}, {policy}");
            let cell = cells.iter().find(|cell| cell.name == name).expect("it is told");
            assert!((cell.ours - mean).abs() < 0.005, "{name}: {}", cell.ours);
            // By our own rules nobody pays for probes, which the last two make.
            let own = cell.own.expect("it was run") / mean;
            let least = match policy {
                "UP" | "UP(S)" => 0.98,
                "UP(A)" => 0.96,
                _ => 0.8,
            };
            assert!((least..1.02).contains(&own), "{name}: {own} of it by our own rules");
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn nobody_is_late_and_hours_are_in_their_bands() {
    all_reproduced(&cant_be_late(&spot(), 30).expect("the data can be read"));
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn costs_on_poisson_traces_come_out() {
    let cells = poisson(&spot()).expect("the data can be read");
    assert_eq!(cells.len(), 10);
    all_reproduced(&cells);
}

/// Nights that are shifted by up to 1, 2, 4 and 8 hours, on half hours and on all values.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn waiting_awhile_saves_what_it_should() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/carbon/gb_ci.csv.gz");
    let cells = lets_wait_awhile(&file).expect("the data can be read");
    assert_eq!(cells.len(), 10);
    all_reproduced(&cells);
}

#[test]
fn an_experiment_without_its_data_says_what_it_lacks() {
    let empty = tempfile::tempdir().expect("a temporary directory");
    for experiment in &EXPERIMENTS {
        assert_eq!(experiment.missing(empty.path()), experiment.needs, "{}", experiment.name);
    }
}

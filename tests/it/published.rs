//! FGD's default experiment in its band, on two seeds; EASY on a log start by start.

use std::path::Path;

use windtunnel::experiment::published::{fgd, users_estimates};

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

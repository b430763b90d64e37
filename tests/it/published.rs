//! FGD's default experiment in its band, on two seeds.

use std::path::Path;

use windtunnel::experiment::published::fgd;

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

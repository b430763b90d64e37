//! Checkpoints through scenarios and traces, by hand.

use crate::by_hand::run;

/// Two nodes of a core each.
const NODES: &str = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 1, memory = \"16 GiB\" }\n";

/// The first yields to a job of higher priority.
const POLICY: &str = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";

const EVERY: &str = "checkpoint = { periodic = { every = \"30 s\" } }\n";

const HEAD: &str = "arrival_s,runtime_s,tasks,gang,vcpus,priority,resumes,\
                    checkpoint_write_s,checkpoint_restore_s,checkpoint_blocking\n";

/// End, and core-seconds that were of use, lost, and spent on checkpoints.
fn ran(policy: &str, rows: &str) -> (f64, [f64; 3]) {
    let summary =
        run(&format!("{NODES}{POLICY}{policy}"), &format!("{HEAD}{rows}")).expect("it runs");
    let hours = [summary.useful_core_hours, summary.lost_core_hours, summary.overhead_core_hours];
    (summary.makespan_s, hours.map(|hours| (hours * 3_600.0 * 1e6).round() / 1e6))
}

#[test]
fn a_gang_goes_on_from_its_last_checkpoint() {
    // Two tasks compute from 0 to 30 s and write from 30 to 40 s; they yield at 60 s for 15 s,
    // read for 5 s, compute from 80 to 110 and from 120 to 150 s, and from 160 to 170 s.
    let high = "60,15,2,true,1,1,false,,,\n";
    let rows = format!("0,100,2,true,1,0,false,10,5,\n{high}");
    assert_eq!(ran(EVERY, &rows), (170.0, [230.0, 40.0, 70.0]));
    // No policy asks for checkpoints.
    assert_eq!(ran("", &rows), (175.0, [230.0, 120.0, 0.0]));
    // The tasks go on while they write: of 60 s those before 30 s are kept.
    let goes_on = format!("0,100,2,true,1,0,false,10,5,false\n{high}");
    assert_eq!(ran(EVERY, &goes_on), (150.0, [230.0, 60.0, 10.0]));
    // Who saves when it is told to yields with 50 s, and reads that; 30 and 20 s are left.
    let resumes = format!("0,100,2,true,1,0,true,10,5,\n{high}");
    assert_eq!(ran(EVERY, &resumes), (140.0, [230.0, 0.0, 50.0]));
}

#[test]
fn each_task_of_an_array_has_checkpoints_of_its_own() {
    // One of two tasks yields at 60 s with 50 s done, 30 of them saved. The other ends at 130 s.
    let rows = "0,100,2,false,1,0,false,10,5,\n60,15,1,true,1,1,false,,,\n";
    assert_eq!(ran(EVERY, rows), (170.0, [215.0, 20.0, 10.0 + 25.0 + 30.0]));
}

#[test]
fn young_counts_the_instances_of_a_gang() {
    // sqrt(2 x 10 s x 360 s / 2) = 60 s: one checkpoint in 100 s, where one instance has none.
    let policy = "checkpoint = { young = { mtbf = \"6 min\" } }\n";
    let rows = "0,100,2,true,1,0,false,10,5,\n";
    assert_eq!(ran(policy, rows), (110.0, [200.0, 0.0, 20.0]));
    let one = "0,84,1,true,1,0,false,10,5,\n";
    // sqrt(2 x 10 s x 360 s) = 84.85 s
    assert_eq!(ran(policy, one), (84.0, [84.0, 0.0, 0.0]));
}

#[test]
fn what_ran_in_vain_is_all_but_the_last_checkpoint() {
    // It came on for 30 s before it yielded at 60 s, and from 75 s on: 125 s of 170 s in all.
    let rows = "0,100,2,true,1,0,false,10,5,\n60,15,2,true,1,1,false,,,\n";
    let summary =
        run(&format!("{NODES}{POLICY}{EVERY}"), &format!("{HEAD}{rows}")).expect("it runs");
    assert_eq!(summary.bounded_slowdown.max, Some(170.0 / 125.0));
}

//! `windtunnel explain` tells what work waited for, truly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs windtunnel in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// The results, in folder `o`, of these jobs on nodes of one core each.
fn simulated(nodes: u32, rows: &str, head: &str, more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = format!(
        "question = \"?\"\n{head}\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = {nodes}\n\
         shape = {{ vcpus = 1, memory = \"1 TiB\" }}\n[policy.p]\n{more}"
    );
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    folder
}

fn told(folder: &Path, job: &str) -> String {
    let out = run(folder, &["explain", "o", "--job", job]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout)
}

fn has(told: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(told.contains(wanted), "`{wanted}` is not in\n{told}");
    }
}

const EASY: &str = "backfill = \"easy\"\n";

/// Of 10 cores 6 are held until 200 s; `head` wants 8, `long` is behind it and
/// may not take the 4 that are free.
const QUEUE: &str = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks\n\
    a,0,200,250,1,4\nb,0,250,300,1,2\nhead,1,50,50,1,8\nlong,2,900,900,1,3\nshort,3,20,20,1,1\n";

#[test]
fn room_that_the_place_part_leaves_alone_is_no_room() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\nb,1,10,1\n";
    let more = "place = { first-fit = { providers = [\"dc\"] } }\n[cluster.spare]\nnodes = 3\n\
                shape = { vcpus = 1, memory = \"1 TiB\" }\n";
    let folder = simulated(1, rows, "", more);
    has(
        &told(folder.path(), "b"),
        &[
            "next to start, without room for it",
            "It wanted 1 core, 3 were free, and there was room, but none that its place part uses \
             for it.",
        ],
    );
}

#[test]
fn work_on_whole_machines_waits_for_an_empty_one() {
    let rows = "id,arrival_s,runtime_s,cpu_milli,exclusive\na,0,100,500,false\nb,1,10,500,true\n";
    let folder = simulated(1, rows, "", "");
    let b = told(folder.path(), "b");
    has(
        &b,
        &[
            "It wanted 0.5 cores, 0.5 were free, but it takes whole machines and no fitting one was empty",
        ],
    );
}

#[test]
fn it_tells_what_was_wanted_and_who_held_it() {
    let folder = simulated(10, QUEUE, "", EASY);
    let head = told(folder.path(), "head");
    has(
        &head,
        &[
            "  estimate   50 s; it ran 50 s, 100 % of that",
            "waited 3 min 19 s",
            "  3 min 19 s, after 1 s to after 3 min 20 s: next to start, without room",
            "Its 8 tasks wanted 8 cores, 4 were free: room for 4 tasks.",
            "2 jobs held the other 6: a (4, expected to end after 4 min 10 s, ended 50 s earlier), \
             b (2, expected to end after 5 min, ended 50 s earlier).",
            "Meanwhile 1 other job started, in room that was too little for this one, submitted \
             after it: short (1 core, ran 20 s).",
            "all 8 tasks started after 3 min 20 s: a ended",
        ],
    );
    // Nobody was ahead of it.
    assert!(!head.contains("ahead"), "{head}");
    let long = told(folder.path(), "long");
    has(
        &long,
        &[
            ": waiting for its turn",
            "1 job was ahead of it: head.",
            "There was room, but it would have delayed a promised start. At first its 3 tasks \
             wanted 3 cores, 4 were free and there was room.",
            "By the estimates head was to start after 4 min 10 s.",
        ],
    );
    assert!(told(folder.path(), "short").contains("It did not wait."));
}

#[test]
fn strict_order_is_told_as_that() {
    let folder = simulated(10, QUEUE, "", "");
    let short = told(folder.path(), "short");
    has(
        &short,
        &[
            "At first it wanted 1 core, 4 were free and there was room. ",
            "Nobody might start before head, the first of the queue, which wanted 8 cores: the policy \
             has no backfilling.",
            "2 jobs were ahead of it, the first was head.",
        ],
    );
}

#[test]
fn times_are_dates_where_the_start_is_known() {
    let folder = simulated(10, QUEUE, "start = \"2026-03-01T12:00:00Z\"", EASY);
    has(
        &told(folder.path(), "head"),
        &[
            "submitted  2026-03-01 12:00:01 UTC",
            "2026-03-01 12:00:01 to 12:03:20",
            "a (4, expected to end at 2026-03-01 12:04:10, ended 50 s earlier)",
            "all 8 tasks started at 2026-03-01 12:03:20: a ended",
        ],
    );
}

#[test]
fn an_array_is_told_task_by_task() {
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang\n\
        hog,0,100,100,1,3,true\narr,1,20,20,1,6,false\n";
    let folder = simulated(4, rows, "", "");
    let arr = told(folder.path(), "arr");
    has(
        &arr,
        &[
            // One task at once; the others, one after the other, until 100 s.
            "waited 1 min 39 s in all, none of it before its first start\n",
            "5 of its 6 tasks wanted 5 cores, 0 were free.",
            "2 jobs held the other 4: hog (3, expected to end after 1 min 40 s, and did), \
             arr (1, expected to end after 21 s, ended ",
            "1 of 6 tasks started after 21 s: tasks of its own ended\n",
            "1 of 6 tasks started after 1 min 40 s: hog ended\n",
        ],
    );
}

/// Puts the hash of a file as it is now into the manifest, which refuses it otherwise.
fn seal(folder: &Path, file: &str) {
    let path = folder.join("o/manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    let bytes = fs::read(folder.join("o").join(file)).expect("a file");
    manifest["files"][file] = blake3::hash(&bytes).to_hex().as_str().into();
    fs::write(&path, manifest.to_string()).expect("written");
}

#[test]
fn a_damaged_file_is_told_as_that() {
    let folder = simulated(10, QUEUE, "", EASY);
    let path = folder.path().join("o/explain.csv");
    let whole = fs::read_to_string(&path).expect("it was written");
    let explained = || run(folder.path(), &["explain", "o", "--job", "head"]);
    let head = whole.lines().position(|line| line.contains(",head,waits")).expect("it waits");
    let lines: Vec<&str> = whole.lines().collect();
    let without: Vec<&str> =
        lines.iter().enumerate().filter(|(at, _)| *at != head).map(|(_, line)| *line).collect();
    let damages = [
        (whole[..whole.find(",head,waits").expect("it waits") + 12].to_owned(), "explain.csv:"),
        (without.join("\n") + "\n", "does not tell of the whole time"),
        (lines[..=head].join("\n") + "\n", "does not tell of the whole time"),
        (whole.replace(",8.000,4.000,", ",8.000,x,"), "`free` is `x`, wanted a number"),
        (whole.replace("[{\"\"job", "[{\"\"jo"), "`largest` is"),
        (whole.replace("no instance had room", "because"), "`why` is `because`"),
    ];
    for (text_now, want) in damages {
        fs::write(&path, text_now).expect("written");
        seal(folder.path(), "explain.csv");
        let out = explained();
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{want}: {said}");
        assert!(said.contains(want) && said.contains("run again with --explain"), "{said}");
    }
    fs::write(&path, whole).expect("written");
    seal(folder.path(), "explain.csv");
    let charges = folder.path().join("o/jobs.csv");
    let jobs = fs::read_to_string(&charges).expect("it was written");
    fs::write(&charges, jobs.replace(",0.000000000", ",0.000000001")).expect("written");
    seal(folder.path(), "jobs.csv");
    assert!(text(&explained().stderr).contains("do not sum to its cost"));
}

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// A cell in millionths.
fn micros(row: &Row, column: &str) -> Option<i64> {
    let cell = &row[column];
    let (whole, part) = cell.split_once('.')?;
    format!("{whole}{part}").parse().ok()
}

/// Random jobs, gangs of up to 5 of 8 cores; estimates are up to three times too long.
fn random_jobs(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang,priority\n".to_owned();
    let mut at = 0;
    for job in 0..60 {
        at += draw(20);
        let (run, tasks) = (1 + draw(60), 1 + draw(5));
        let (estimate, priority) = (run + draw(2 * run), draw(3));
        let _ = writeln!(rows, "j{job},{at},{run},{estimate},1,{tasks},true,{priority}");
    }
    rows
}

/// Spans of `notes` in which the job waited, by the rows of `explain.csv`.
fn spans(notes: &[&Row], end: i64) -> Vec<(i64, i64)> {
    let steps: Vec<&&Row> = notes
        .iter()
        .filter(|row| ["waits", "starts", "preempted"].contains(&&*row["note"]))
        .collect();
    let mut spans = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if step["note"] == "waits" {
            let until =
                steps.get(at + 1).map_or(end, |next| micros(next, "time_s").expect("a time"));
            spans.push((micros(step, "time_s").expect("a time"), until));
        }
    }
    spans
}

#[test]
fn every_wait_has_causes_without_gap_and_counts_that_agree() {
    let policies = ["", EASY, "backfill = \"conservative\"\n", "backfill = \"greedy\"\n"];
    let mut counted = 0;
    for seed in 1..=6 {
        for policy in policies {
            let folder = simulated(8, &random_jobs(seed), "", policy);
            let out = folder.path().join("o");
            let (jobs, notes) = (rows(&out.join("jobs.csv")), rows(&out.join("explain.csv")));
            let case = format!("seed {seed}, {policy}");
            for job in &jobs {
                let of: Vec<&Row> =
                    notes.iter().filter(|row| row["ordinal"] == job["ordinal"]).collect();
                let submitted = micros(job, "submitted_s").expect("a time");
                let started = micros(job, "first_start_s").expect("it started");
                let spans = spans(&of, micros(job, "end_s").expect("a time"));
                let mut covered = submitted;
                for (from, until) in spans {
                    assert_eq!(from, covered, "{case}, {}", job["job"]);
                    assert!(from < until, "{case}, {}", job["job"]);
                    covered = until;
                }
                assert_eq!(covered, started, "{case}, {}", job["job"]);
            }
            let instances = rows(&out.join("instances.csv"));
            for note in notes.iter().filter(|note| note["note"] == "waits") {
                let now = micros(note, "time_s").expect("a time");
                let holds = |job: &&Row| {
                    let from = micros(job, "first_start_s").expect("it started");
                    from <= now && now < micros(job, "end_s").expect("a time")
                };
                let holding: Vec<&Row> = jobs.iter().filter(holds).collect();
                let held: i64 =
                    holding.iter().map(|job| job["tasks"].parse::<i64>().expect("tasks")).sum();
                let whole = instances.len() as i64;
                let milli = |column: &str| {
                    let number: f64 = note[column].parse().expect("a number");
                    (number * 1e3) as i64
                };
                assert_eq!(note["resource"], "cores", "{case}");
                assert_eq!(milli("held"), held * 1_000, "{case}: {note:?}");
                assert_eq!(milli("free"), (whole - held) * 1_000, "{case}: {note:?}");
                assert_eq!(note["room"], (whole - held).to_string(), "{case}: {note:?}");
                assert_eq!(note["holders"], holding.len().to_string(), "{case}: {note:?}");
                let largest: serde_json::Value =
                    serde_json::from_str(&note["largest"]).expect("JSON");
                let most = holding.iter().map(|job| job["tasks"].parse::<u64>().expect("tasks"));
                assert_eq!(largest[0]["amount"].as_f64(), most.max().map(|most| most as f64));
                counted += 1;
            }
        }
    }
    assert!(counted > 200, "{counted} rows are too few to tell");
}

#[test]
fn waits_of_preempted_work_and_arrays_have_no_overlap() {
    for seed in 1..=6 {
        let jobs = random_jobs(seed).replace(",true,", ",false,");
        for policy in [
            "order = \"priority\"\npreempt = \"priority\"\n",
            "order = \"priority\"\npreempt = \"priority\"\nbackfill = \"easy\"\n",
        ] {
            let folder = simulated(8, &jobs, "", policy);
            let out = folder.path().join("o");
            let notes = rows(&out.join("explain.csv"));
            for job in rows(&out.join("jobs.csv")) {
                // Each is a process of its own: a few stand for all.
                if job["job"].ends_with('7') {
                    let told = told(folder.path(), &job["job"]);
                    assert!(
                        told.contains("waited ") || told.contains("It did not wait."),
                        "{told}"
                    );
                }
                let of: Vec<&Row> =
                    notes.iter().filter(|row| row["ordinal"] == job["ordinal"]).collect();
                let spans = spans(&of, micros(&job, "end_s").expect("a time"));
                for pair in spans.windows(2) {
                    assert!(pair[0].1 <= pair[1].0, "{}: {spans:?}", job["job"]);
                }
                assert!(spans.iter().all(|(from, until)| from < until), "{spans:?}");
            }
        }
    }
}

/// On one core, `low` yields to `high` and starts again from its beginning, or goes on.
fn preempted(resume: bool) -> tempfile::TempDir {
    let rows = format!(
        "id,arrival_s,runtime_s,estimate_s,vcpus,priority,resumes\n\
         low,0,300,400,1,0,{resume}\nhigh,120,60,60,1,5,false\n"
    );
    simulated(1, &rows, "", "order = \"priority\"\npreempt = \"priority\"\n")
}

#[test]
fn a_preemption_is_told_with_its_cause_and_what_it_cost() {
    let lost = told(preempted(false).path(), "low");
    has(
        &lost,
        &[
            "  estimate   6 min 40 s; it ran 7 min in 2 parts and lost 2 min of work\n",
            "  ended      after 8 min, 8 min after its start, finished\n",
            "waited 1 min in all, none of it before its first start\n  preempted after 2 min, yielding to high, 2 min of its work lost\n",
            "  started again after 3 min: high ended\n",
        ],
    );
    let kept = told(preempted(true).path(), "low");
    has(
        &kept,
        &[
            "  estimate   6 min 40 s; it ran 5 min in 2 parts\n",
            "  ended      after 6 min, 6 min after its start, finished\n",
            "  preempted after 2 min, yielding to high, nothing lost\n",
        ],
    );
}

/// `gpu` of high priority takes the whole machine of `train` and `small`; `small` starts again at
/// once on the other one, which `filler` left.
#[test]
fn work_that_starts_again_at_once_was_preempted_too() {
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,gpus,priority,not_regions\n\
        train,0,3600,3600,1,2,0,\nfiller,0,100,100,1,0,0,big\nsmall,60,600,600,1,0,0,\n\
        gpu,120,60,60,8,2,5,\n";
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.big]\nnodes = 1\n\
        shape = { vcpus = 8, memory = \"1 TiB\", gpus = \"2 x A100-80GB\" }\n\
        [cluster.other]\nnodes = 1\nshape = { vcpus = 1, memory = \"1 TiB\" }\n[policy.p]\n\
        preset = \"batch-backfill\"\norder = \"priority\"\npreempt = \"priority\"\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let jobs = rows_by_job(&folder);
    let train = told(folder.path(), "train");
    has(&train, &["  preempted after 2 min, yielding to gpu, 2 min of its work lost\n"]);
    let small = told(folder.path(), "small");
    assert_eq!(jobs["small"]["preemptions"], "1");
    has(
        &small,
        &["It did not wait.\n  preempted after 2 min, yielding to gpu, 1 min of its work lost\n  \
             started again after 2 min\n"],
    );
}

/// The rows of `jobs.csv` by name.
fn rows_by_job(folder: &tempfile::TempDir) -> BTreeMap<String, Row> {
    let jobs = rows(&folder.path().join("o/jobs.csv"));
    jobs.into_iter().map(|row| (row["job"].clone(), row)).collect()
}

/// However often work is preempted, `explain.csv` has as many rows of that as `jobs.csv` counts.
#[test]
fn every_preemption_is_written_with_who_took_its_place() {
    let mut counted = 0;
    for seed in 1..=6 {
        let policy = "order = \"priority\"\npreempt = \"priority\"\nbackfill = \"easy\"\n";
        let folder = simulated(8, &random_jobs(seed), "", policy);
        let jobs = rows_by_job(&folder);
        let notes = rows(&folder.path().join("o/explain.csv"));
        for job in jobs.values() {
            let own = notes.iter().filter(|row| row["job"] == job["job"]);
            let own: Vec<&Row> = own.filter(|row| row["note"] == "preempted").collect();
            assert_eq!(own.len().to_string(), job["preemptions"], "{}", job["job"]);
            for note in own {
                let to = &jobs[&note["why"]];
                let (above, below) = (&to["priority"], &job["priority"]);
                assert!(above > below, "{} yields to {}", job["job"], to["job"]);
                assert!(micros(to, "first_start_s") <= micros(note, "time_s"), "{note:?}");
                assert!(micros(note, "lost_s").is_some_and(|lost| lost >= 0), "{note:?}");
                counted += 1;
            }
        }
    }
    assert!(counted > 50, "{counted} preemptions are too few to tell");
}

/// Of 4 cores 2 are held in turn by `a`, `b` and `c`, and those that are left are too few for
/// `wide`, which is next all the time; 12 small jobs come and go before it.
#[test]
fn a_long_wait_is_told_in_its_longest_phases() {
    // `wide` wants all four cores, so each of the others is let in front of it by greedy.
    let mut rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks\n\
        a,0,1000,1000,1,2\nwide,1,10,10,1,4\n"
        .to_owned();
    for small in 0..12 {
        rows += &format!("s{small},{},5,5,1,1\n", 10 + 20 * small);
    }
    rows += "b,900,2000,2000,1,2\nc,2800,500,500,1,2\n";
    let folder = simulated(4, &rows, "", "backfill = \"greedy\"\n");
    let wide = told(folder.path(), "wide");
    has(
        &wide,
        &[
            "waited 54 min 59 s",
            "  16 min 39 s (30 %), after 1 s to after 16 min 40 s: next to start, without room",
            "  31 min 40 s (58 %), after 16 min 40 s to after 48 min 20 s: next to start, without room",
            "  6 min 40 s (12 %), after 48 min 20 s to after 55 min: next to start, without room",
            "Its 4 tasks wanted 4 cores, 2 were free: room for 2 tasks",
            "1 job held the other 2: a (2, expected to end after 16 min 40 s, and did).",
            "1 job held the other 2: b (2, expected to end after 48 min 20 s, and did).",
            "1 job held the other 2: c (2, expected to end after 55 min, and did).",
            "Meanwhile 13 other jobs started, in room that was too little for this one, all \
             submitted after it; the largest: b (2 cores, ran 33 min 20 s)",
            "all 4 tasks started after 55 min: c ended",
        ],
    );
    // The json has the same phases, and how much of the wait each covers.
    let out = run(folder.path(), &["explain", "o", "--job", "wide", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let phases = all["phases"].as_array().expect("phases");
    let shares: f64 = phases.iter().map(|one| one["share"].as_f64().expect("a share")).sum();
    assert_eq!((phases.len(), (shares * 1e6).round()), (3, 1e6));
}

/// However often others take what work waits for, its rows grow with the logarithm of its wait,
/// and five phases are told.
#[test]
fn phases_and_rows_of_a_wait_are_bounded() {
    let mut rows = "id,arrival_s,runtime_s,vcpus,tasks\nh,0,15,1,2\nwide,1,10,1,4\n".to_owned();
    for at in 1..600 {
        rows += &format!("h{at},{},15,1,2\n", 10 * at);
    }
    let folder = simulated(4, &rows, "", "backfill = \"greedy\"\n");
    let notes = rows_of(&folder, "wide");
    assert!((10..100).contains(&notes), "{notes} rows");
    let wide = told(folder.path(), "wide");
    let phases = wide.matches(": next to start, without room").count();
    assert_eq!(phases, 5, "{wide}");
    has(&wide, &["shorter spans, ", "not told here"]);
}

/// Rows of `explain.csv` about a job.
fn rows_of(folder: &tempfile::TempDir, job: &str) -> usize {
    rows(&folder.path().join("o/explain.csv")).iter().filter(|row| row["job"] == job).count()
}

#[test]
fn work_that_has_its_machines_alone_holds_all_of_them() {
    let rows = "id,arrival_s,runtime_s,cpu_milli,exclusive\na,0,100,500,true\nb,1,10,500,false\n";
    let folder = simulated(1, rows, "", "");
    let b = told(folder.path(), "b");
    has(
        &b,
        &[
            "It wanted 0.5 cores, 0 were free.",
            "1 job held the other 1: a (1 on machines of its own, no estimate, ended after 1 min 40 s).",
        ],
    );
}

/// Two cores are free, one on each machine, and the job wants two on one.
#[test]
fn room_in_pieces_is_told_as_that() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\nb,0,50,1\nc,1,10,2\n";
    let folder = simulated(2, rows, "", "place = \"worst-fit\"\n");
    let path = folder.path().join("a.toml");
    let text_now = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text_now.replace("vcpus = 1", "vcpus = 2")).expect("written");
    let out =
        run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--force", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let c = told(folder.path(), "c");
    has(&c, &["It wanted 2 cores, 2 were free, but at most 1 on one machine."]);
}

/// Rows of jobs with data, on a policy that rents two instances at most, of one provider.
fn rented() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang,home,input_bytes\n\
        a,0,100,200,4,1,true,aws/eu-west-1,50000000000\nb,1,100,200,4,1,true,aws/us-east-1,50000000000\n\
        c,2,100,200,4,3,true,,\n";
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n\
        [cloud.aws]\nregions = [\"us-east-1\", \"eu-west-1\"]\n\
        [cloud.gcp]\nregions = [\"us-central1\"]\n\
        [policy.p.provision.cheapest]\nmax_instances = 1\nproviders = [\"aws\"]\n\
        regions = [\"aws/us-east-1\"]\ntypes = [\"m7i.xlarge\"]\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    folder
}

#[test]
fn only_candidates_are_listed_and_the_policys_own_limit_is_named() {
    let folder = rented();
    let a = told(folder.path(), "a");
    has(
        &a,
        &[
            "data       reads 50 GB from aws/eu-west-1, writes nothing back; moving 50 GB took ",
            "aws/m7i.xlarge/on-demand in ",
            "offers are no candidates: not among what the policy rents",
        ],
    );
    assert!(!a.contains("gcp/"), "{a}");
    let b = told(folder.path(), "b");
    has(&b, &["the policy rents at most 1 instance at once (`max_instances`)"]);
    assert!(!b.contains("capacity"), "{b}");
    has(&b, &["it ran there, nothing was moved"]);
}

/// Three unlike jobs as they are told: one that was next and lacked room, one that waited for its
/// turn, and one that rented.
#[test]
fn explanations_read_so() {
    let batch = simulated(10, QUEUE, "start = \"2026-03-01T12:00:00Z\"", EASY);
    let cloud = rented();
    let told =
        [(&batch, "head"), (&batch, "long"), (&cloud, "a")].map(|(at, job)| told(at.path(), job));
    expect_test::expect_file!["golden/explain.txt"].assert_eq(&told.join("\n=====\n\n"));
}

/// y leaves the node at 20 s, 40 s before its estimate, for z, and ends at 120 s; z takes
/// just what x wants.
#[test]
fn who_was_preempted_is_not_said_to_have_stayed_too_long() {
    let rows = "id,arrival_s,runtime_s,estimate_s,cpu_milli,priority\n\
        y,0,50,60,1000,1\nx,10,20,20,1000,0\nz,20,50,50,1000,2\n";
    let policy = "order = \"priority\"\npreempt = \"priority\"\n";
    let folder = simulated(1, rows, "", policy);
    let x = told(folder.path(), "x");
    has(&x, &["1 job held the other 1: y (1, expected to end after 1 min).\n"]);
    assert!(!x.contains("too little") && x.contains("Meanwhile 1 other job started"), "{x}");
}

/// One of four cores is free until 100 s: the three tasks of `e` run one after the other.
#[test]
fn tasks_of_an_array_are_not_said_to_have_run_at_once() {
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang\n\
        a,0,100,100,1,3,true\nbig,1,50,50,1,4,true\ne,2,20,20,1,3,false\nf,63,30,30,1,1,false\n";
    let folder = simulated(4, rows, "", EASY);
    let big = told(folder.path(), "big");
    has(
        &big,
        &["e (3 of 3 tasks, started at 3 times, of 1 core, ran 1 min), f (1 core, ran 30 s)"],
    );
}

/// On machines at 0.01 USD a second that boot for 100 s and are given back after 50 s without work.
fn hired(rows: &str, more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = format!(
        "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cloud.aws]\nregions = [\"us-east-1\"]\n\
         types = [\"m7i.xlarge\"]\nboot = \"100 s\"\ncapacity = 2\n\
         [[cloud.aws.price]]\ntype = \"m7i.xlarge\"\nusd_per_hour = 36\n{more}\
         [policy.p]\nprovision = {{ cheapest = {{}} }}\nrelease = {{ idle = {{ after = \"50 s\" }} }}\n"
    );
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    folder
}

#[test]
fn what_is_in_nobodys_cost_is_told_beside_it() {
    let head = "id,arrival_s,runtime_s,estimate_s,vcpus\n";
    let alone = hired(&format!("{head}a,0,200,200,4\nlater,1000,10,10,4\n"), "");
    has(
        &told(alone.path(), "a"),
        &[
            "  $2.00 for work on 1 instance of aws/",
            "  not in its cost: $1.00 for boot and $0.5000 for idle time of 1 rented instance on which nothing else ran\n",
        ],
    );
    let shared = hired(&format!("{head}a,0,200,200,2\nb,0,200,200,2\n"), "");
    has(
        &told(shared.path(), "a"),
        &[
            "  not in its cost: boot and idle time of 1 rented instance on which other work ran too\n",
        ],
    );
    let own = simulated(1, &format!("{head}a,0,200,200,1\n"), "", "");
    assert!(!told(own.path(), "a").contains("not in its cost"));
}

#[test]
fn an_offer_with_room_for_some_of_a_gang_is_not_called_full() {
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks\n\
        hog,0,500,500,4,3\ngang,1,50,50,4,3\n";
    let own = "[cluster.dc]\nnodes = 3\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
    let gang = told(hired(rows, own).path(), "gang");
    has(
        &gang,
        &["not taken: its capacity has no room for all instances that the job needs at once"],
    );
    assert!(!gang.contains("no capacity left"), "{gang}");
}

/// `b` finds the machine that `a` left, and rents a second one in the same zone: all others are full.
#[test]
fn each_expected_cost_says_for_how_many_instances_it_is() {
    let mut rows = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks\na,0,200,200,4,1\n".to_owned();
    for hog in 0..5 {
        let _ = writeln!(rows, "hog{hog},1,900,900,4,2");
    }
    rows += "b,320,200,200,4,2\n";
    let folder = hired(&rows, "");
    let joined = "expected cost $3.00 for 1 of 2 instances (1 was there)";
    has(
        &told(folder.path(), "b"),
        &[
            &format!("m7i.xlarge/on-demand in us-east-1a, {joined}, rented"),
            &format!(
                "in 5 zones (us-east-1b, ...), {joined}, not taken: \
                 it lies apart from the instances that hold the job's other tasks"
            ),
        ],
    );
    has(&told(folder.path(), "a"), &["expected cost $3.00 for 1 instance, rented"]);
    let out = run(folder.path(), &["explain", "o", "--job", "b", "--json"]);
    has(&text(&out.stdout).replace(' ', ""), &["\"instances\":1", "\"there\":1"]);
    let own = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 1, memory = \"16 GiB\" }\n";
    has(&told(hired(&rows, own).path(), "a"), &["an own machine, which is not rented"]);
}

/// The cheaper zone is out from 300 s on: its job lost 200 s of work, and is tried again in the other.
#[test]
fn work_that_lost_its_place_is_said_to_be_kept_to_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cloud.aws]\n\
        regions = [\"us-east-1\"]\nzones = [\"us-east-1a\", \"us-east-1b\"]\ntypes = [\"m7i.xlarge\"]\nboot = \"100 s\"\n\
        [[outage]]\nzone = \"us-east-1a\"\nfrom = \"300 s\"\nuntil = \"310 s\"\n\
        [policy.p]\nprovision = { cheapest = {} }\nrelease = { idle = { after = \"50 s\" } }\n\
        recover.elsewhere = { lasts = \"1 h\" }\n";
    fs::write(
        folder.path().join("a.csv"),
        "id,arrival_s,runtime_s,estimate_s,vcpus\na,0,900,900,4\n",
    )
    .expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    has(
        &told(folder.path(), "a"),
        &[
            "  failed after 5 min: ",
            ", 3 min 20 s of its work lost; it is tried again only in another zone than \
             aws/us-east-1a/m7i.xlarge/on-demand, and after 1 h 5 min anywhere (`recover`)\n",
        ],
    );
    let notes = rows(&folder.path().join("o/explain.csv"));
    let kept = notes.iter().filter(|row| row["note"] == "kept to").collect::<Vec<_>>();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (micros(kept[0], "time_s"), micros(kept[0], "until_s")),
        (Some(300_000_000), Some(3_900_000_000))
    );
}

/// A machine of four cores for 0.192 dollars an hour, reserved for 0.12, from half past ten on:
/// tenant a holds half of it for an hour, b a quarter for two.
const SETTLED: &str = r#"
question = "?"
start = "2026-03-02T10:30:00Z"
[cloud.aws]
regions = ["us-east-1"]
types = ["m5.xlarge"]
markets = ["on-demand"]
boot = "0 s"
[workload]
trace = "jobs.csv"
[policy.only]
provision = "cheapest"
[[commitment]]
name = "kept"
provider = "aws"
account = "x"
from = "2026-03-02"
machines = 1
type = "m5.xlarge"
hourly = "0.12 USD/h"
[[account]]
name = "x"
"#;

#[test]
fn a_charge_is_told_with_its_price_share_and_terms() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs =
        "id,arrival_s,runtime_s,vcpus,memory_mib,tenant\nj,0,3600,2,1024,a\nk,0,7200,1,1024,b\n";
    fs::write(folder.path().join("jobs.csv"), jobs).expect("written");
    fs::write(folder.path().join("a.toml"), SETTLED).expect("written");
    let all = ["run", "a.toml", "--explain", "--out", "o", "--quiet"];
    assert!(run(folder.path(), &all).status.success());
    let charges = rows(&folder.path().join("o/charges.csv"));
    let row = charges.iter().find(|row| row["job"] == "j").expect("it is charged");
    assert_eq!((row["share"].as_str(), row["amount_usd"].as_str()), ("0.500000", "0.096000000"));
    let out = run(folder.path(), &["explain", "o", "--charge", &row["charge"]]);
    let told = text(&out.stdout);
    // The machine runs two hours. Of j's half hour in each of two clock hours the reservation covers
    // all: half of 6 cents, and a quarter of 12.
    has(
        &told,
        &[
            "work of job j of tenant a",
            "0.192000 USD/h",
            "costs $0.3840 for 2.0000 h",
            "50 %",
            "on the terms its machines cost $0.0600, by the list $0.0960",
            "kept covers $0.0960 of it, for $0.0600",
        ],
    );
    has(
        &self::told(folder.path(), "k"),
        &["on the terms its machines cost $0.0600, by the list $0.0960"],
    );
    let out = run(folder.path(), &["explain", "o", "--charge", "99"]);
    assert!(text(&out.stderr).contains("there is no charge 99"), "{}", text(&out.stderr));
}

/// A job reads 150 GiB from AWS over the internet: 13.50 dollars at 9 cents, of which 100 GB are free. A second one reads
/// 50 more. What each writes back leaves the cluster for nothing.
#[test]
fn transfers_are_told_with_what_the_month_makes_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = format!(
        "id,arrival_s,runtime_s,vcpus,memory_mib,home,input_bytes,output_bytes\n\
         j,0,60,1,1024,aws/us-east-1,{},{}\nk,9000,60,1,1024,aws/us-east-1,{},0\n",
        150_u64 << 30,
        1 << 30,
        50_u64 << 30
    );
    fs::write(folder.path().join("jobs.csv"), jobs).expect("written");
    let scenario = "question = \"?\"\nstart = \"2026-03-02\"\n[workload]\ntrace = \"jobs.csv\"\n[cloud.aws]\n\
                    regions = [\"us-east-1\"]\n[cluster.dc]\nnodes = 1\n\
                    shape = { vcpus = 1, memory = \"8 GiB\" }\n[policy.only]\npreset = \"batch-fcfs\"\n\
                    [[account]]\nname = \"x\"\n";
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let all = ["run", "a.toml", "--explain", "--out", "o", "--quiet"];
    let out = run(folder.path(), &all);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let charges = rows(&folder.path().join("o/charges.csv"));
    for (job, told, steps) in [
        (
            "j",
            "on the terms its transfers cost $4.50, by the list $13.50",
            "100 GB at 0 USD, 50 GB at 0.09 USD\n",
        ),
        ("k", "on the terms its transfers cost $4.50, by the list $4.50", "  50 GB at 0.09 USD\n"),
    ] {
        has(&self::told(folder.path(), job), &[told, steps, "by the tiers of the month"]);
        let moved =
            |row: &&Row| row["job"] == job && row["kind"] == "transfer" && row["provider"] == "aws";
        let row = charges.iter().find(moved).expect("it is charged");
        let out = run(folder.path(), &["explain", "o", "--charge", &row["charge"]]);
        has(&text(&out.stdout), &["GiB that leave us-east-1", told, steps]);
    }
    let settled = rows(&folder.path().join("o/settled.csv"));
    let paths: Vec<&str> = settled
        .iter()
        .filter(|row| row["provider"] == "aws")
        .map(|row| row["type"].as_str())
        .collect();
    assert_eq!(paths, ["internet", "internet", "internet"]);
}

/// An hour of a machine at 0.5 dollars that a plan of a dollar an hour at 20 % off covers.
#[test]
fn a_charge_of_a_bill_is_told_with_its_commitment() {
    let folder = tempfile::tempdir().expect("a folder");
    let usage = "from,until,account,provider,service,region,type,quantity,price\n\
                 2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,x,aws,compute,us-east-1,m5.large,1,0.5\n";
    let terms = "[[account]]\nname = \"x\"\n[[commitment]]\nname = \"plan\"\nprovider = \"aws\"\n\
                 account = \"x\"\nfrom = \"2026-03-01\"\nspend = \"1 USD/h\"\ndiscount = \"20 %\"\n";
    fs::write(folder.path().join("u.csv"), usage).expect("written");
    fs::write(folder.path().join("t.toml"), terms).expect("written");
    let out = run(folder.path(), &["bill", "u.csv", "--terms", "t.toml", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let out = run(folder.path(), &["explain", "o", "--charge", "0"]);
    has(
        &text(&out.stdout),
        &[
            "covered, row 2 of the usage: aws compute m5.large us-east-1",
            "time in steps of 1 s, at least 1 min of each start (repost.aws",
            "1 hour at 0.5 USD",
            "plan covers it",
            "by list    $0.5000",
            "effective  $0.4000",
            "billed     $0.00",
        ],
    );
}

/// An hour at 0.5 dollars is billed at that, to the nano-dollar.
#[test]
fn a_bill_may_be_held_to_be_exact() {
    let folder = tempfile::tempdir().expect("a folder");
    let off = |billed: &str, within: &str| {
        let usage = format!(
            "from,until,account,provider,service,region,type,quantity,price,billed\n\
             2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,x,aws,compute,us-east-1,m5.large,1,0.5,{billed}\n"
        );
        fs::write(folder.path().join("u.csv"), usage).expect("written");
        let out = run(folder.path(), &["bill", "u.csv", "--within", within, "--quiet"]);
        (out.status.code(), text(&out.stderr))
    };
    assert_eq!(off("0.5", "0 %").0, Some(0));
    let (code, told) = off("0.500000001", "0 %");
    assert!(code == Some(1) && told.contains("are 0.000000001 USD off"), "{told}");
    assert_eq!(off("0.504", "1 %").0, Some(0));
    assert_eq!(off("0.506", "1 %").0, Some(1));
}

/// A gang wants all four GPUs of two machines, one of which another job holds until 3,600 s. The GPUs of the
/// other one are broken from 1,000 s to 1,500 s: its wait is told anew when they break, and when they work.
#[test]
fn a_wait_is_told_anew_when_gpus_break() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write(
        "a.toml",
        "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 2\n\
         shape = { vcpus = 4, memory = \"1 TiB\", gpus = \"2 x A100-80GB\" }\n\
         [[failure]]\nname = \"nvlink\"\ntrace = \"f.csv\"\ndevices = \"all\"\n[policy.p]\n",
    );
    write("a.csv", "id,arrival_s,runtime_s,vcpus,gpus,tasks\nx,0,3600,1,2,1\nw,10,60,1,2,2\n");
    write("f.csv", "machine,from,until\n1,1000,1500\n");
    let out =
        run(folder.path(), &["run", "a.toml", "--explain", "--audit", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let rows = rows(&folder.path().join("o/explain.csv"));
    let waits = rows.iter().filter(|row| row["job"] == "w" && row["note"] == "waits");
    let amounts = ["time_s", "wanted", "free", "held", "broken"];
    let told: Vec<_> = waits.map(|row| amounts.map(|column| row[column].parse::<f64>())).collect();
    let wanted =
        [[10.0, 4.0, 2.0, 2.0, 0.0], [1_000.0, 4.0, 0.0, 2.0, 2.0], [1_500.0, 4.0, 2.0, 2.0, 0.0]];
    assert_eq!(told, wanted.map(|row| row.map(Ok)));
}

/// Both GPUs of a machine are broken from 1,000 s to 1,500 s: a job says which failed under it, and what
/// let it start again.
#[test]
fn what_waits_for_a_broken_gpu_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 1\n\
        shape = { vcpus = 4, memory = \"1 TiB\", gpus = \"2 x A100-80GB\" }\n\
        [[failure]]\nname = \"nvlink\"\ntrace = \"f.csv\"\ndevices = \"all\"\n[policy.p]\n";
    let jobs = "id,arrival_s,runtime_s,vcpus,gpus\na,0,3600,1,1\nb,0,3600,1,0\n";
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("a.toml", scenario);
    write("a.csv", jobs);
    write("f.csv", "machine,from,until\n0,1000,1500\n");
    let run = |arguments: &[&str]| {
        let out = run(folder.path(), arguments);
        assert!(out.status.success(), "{}", text(&out.stderr));
        text(&out.stdout)
    };
    run(&["run", "a.toml", "--explain", "--audit", "--out", "o", "--quiet"]);
    let wanted = [
        "failed after 16 min 40 s: nvlink on dc #0, GPU 0+1, 16 min 40 s of its work lost",
        "It wanted 1 GPU, and all there were broken.",
        "started again after 25 min: GPU 0+1 of instance 0 (dc) works again",
    ];
    has(&told(folder.path(), "a"), &wanted);
    assert!(!told(folder.path(), "b").contains("nvlink"));
}

/// Results, in folder `o`, of files that a scenario reads.
fn of_files(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let out =
        run(folder.path(), &["run", "a.toml", "--explain", "--audit", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    folder
}

/// Three of four machines fail for good, two at 100 s and one ten seconds later, while the policy holds a gang until the
/// clean hour from five hours on: its wait says so from then on, and the answer that nobody repairs them.
#[test]
fn a_wait_is_told_anew_when_machines_fail() {
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 4\n\
        shape = { vcpus = 1, memory = \"1 GiB\" }\npower = [\"0 W\", \"100 W\"]\n\
        carbon_trace = \"grid.csv\"\n[[failure]]\nname = \"dead\"\ntrace = \"f.csv\"\n[policy.p]\n\
        shift = \"carbon-scaler\"\n";
    let jobs = "id,arrival_s,runtime_s,estimate_s,deadline_s,vcpus,tasks,min_tasks,parallel_fraction,gang,resumes\n\
        a,0,3600,3600,36000,1,4,1,0.8,true,true\n";
    let folder = of_files(&[
        ("a.toml", scenario),
        ("a.csv", jobs),
        ("grid.csv", "time,g_per_kwh\n0,900\n18000,100\n21600,900\n"),
        ("f.csv", "machine,from,until\n1,100,\n2,100,\n3,110,\n"),
    ]);
    let wanted = [
        "after 0 s to after 1 min 40 s: its policy held it",
        "Its 4 tasks wanted 4 cores, 4 were free and there was room.",
        "after 1 min 40 s to after 1 min 50 s: its policy held it",
        "Its 4 tasks wanted 4 cores, 2 were free and 2 on machines that had failed: room for 2 tasks.",
        "after 1 min 50 s to after 5 h: its policy held it",
        "Its 4 tasks wanted 4 cores, 1 was free and 3 on machines that had failed: room for 1 task.",
    ];
    has(&told(folder.path(), "a"), &wanted);
    let out = run(folder.path(), &["run", "a.toml", "--out", "p"]);
    let answer = text(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    has(&answer, &["p left 1 piece of work waiting until the end, while machines that could hold"]);
}

/// The GPUs of a host are broken from 3,600 s to 7,200 s and from 8,000 s to 12,000 s, and the host has failed from
/// 5,400 s to 9,000 s: of each span the wait tells what lacked.
#[test]
fn what_lacks_is_told_of_each_span() {
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 1\n\
        shape = { vcpus = 8, memory = \"1 TiB\", gpus = \"4 x A100-80GB\" }\n\
        [[failure]]\nname = \"host\"\ntrace = \"h.csv\"\n\
        [[failure]]\nname = \"nvlink\"\ntrace = \"g.csv\"\ndevices = \"all\"\n[policy.p]\n";
    let jobs = "id,arrival_s,runtime_s,vcpus,gpus\na,0,7200,1,1\n";
    let gpus = "machine,from,until\n0,3600,7200\n0,8000,10000\n0,9000,12000\n";
    let folder = of_files(&[
        ("a.toml", scenario),
        ("a.csv", jobs),
        ("h.csv", "machine,from,until\n0,5400,9000\n"),
        ("g.csv", gpus),
    ]);
    let told_of_a = told(folder.path(), "a");
    let spans = [
        "after 1 h to after 1 h 30 min: next to start, without room for it\n    \
         It wanted 1 GPU, and all there were broken.",
        "after 1 h 30 min to after 2 h 30 min: next to start, without room for it\n    \
         It wanted 1 GPU, and all were on machines that had failed.",
        "after 2 h 30 min to after 3 h 20 min: next to start, without room for it\n    \
         It wanted 1 GPU, and all there were broken.",
        "GPU 0+1+2+3 of instance 0 (dc) works again",
    ];
    has(&told_of_a, &spans);
}

/// Each of four GPUs breaks after an hour and works again ten minutes later: work that starts again says which of
/// them it is on.
#[test]
fn the_gpus_that_let_work_start_are_named() {
    let scenario = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 1\n\
        shape = { vcpus = 8, memory = \"1 TiB\", gpus = \"4 x A100-80GB\" }\n\
        [[failure]]\nname = \"gpu\"\nlife = \"1 h\"\nrepair = \"10 min\"\ndevices = \"one\"\n[policy.p]\n";
    let jobs = "id,arrival_s,runtime_s,vcpus,gpus,tasks\nfirst,0,60,1,0,1\n\
        a,1500,3000,1,1,1\nb,1500,3000,1,1,3\n";
    let folder = of_files(&[("a.toml", scenario), ("a.csv", jobs)]);
    has(&told(folder.path(), "a"), &["GPU 0 of instance 0 (dc) works again"]);
    has(&told(folder.path(), "b"), &["GPU 1+2+3 of instance 0 (dc) works again"]);
}

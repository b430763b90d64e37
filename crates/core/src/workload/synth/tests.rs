use super::*;
use crate::units::Calendar;

fn spec(classes: Vec<SynthClass>) -> SynthSpec {
    SynthSpec {
        arrivals: Arrivals::Poisson { per_hour: 60.0 },
        batch: None,
        until: Until::Count(2_000),
        classes,
    }
}

fn draw(spec: &SynthSpec, seed: u64) -> (Vec<Work>, Interner) {
    assert_eq!(spec.problems(), []);
    let calendar = Calendar::from_unix_micros(0);
    let context = OpenContext { seed, calendar, keep_names: true, capacity: None };
    let mut source = Synth::new(spec, &context);
    let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work).expect("draws cannot fail") {
        found.push(work.clone());
    }
    (found, book)
}

fn law(text: &str) -> Distribution {
    text.parse().expect("a distribution")
}

fn small() -> SynthClass {
    SynthClass {
        name: "small".to_owned(),
        runtime: law("exponential(mean=60)"),
        ..SynthClass::default()
    }
}

#[test]
fn work_has_the_fewest_tasks_of_its_class() {
    let classes = vec![SynthClass { min_tasks: 3, ..small() }, small()];
    let found = draw(&spec(classes), 1).0;
    let fewest = |count| found.iter().filter(|work| work.min_tasks == count).count();
    assert!(fewest(3) > 0 && fewest(0) > 0 && fewest(3) + fewest(0) == found.len());
}

#[test]
fn the_same_seed_draws_the_same_work() {
    let spec = spec(vec![small()]);
    assert_eq!(draw(&spec, 1).0, draw(&spec, 1).0);
    assert_ne!(draw(&spec, 1).0, draw(&spec, 2).0);
}

#[test]
fn a_change_to_one_class_moves_no_other_draw() {
    let large = SynthClass {
        name: "large".to_owned(),
        gpus: Distribution::Constant(2.0),
        tenants: vec![("a".to_owned(), 1.0), ("b".to_owned(), 3.0)],
        ..small()
    };
    let changed = SynthClass {
        runtime: law("uniform(low=5, high=6)"),
        tasks: law("uniform(low=1, high=9)"),
        ..large.clone()
    };
    let (before, _) = draw(&spec(vec![small(), large]), 3);
    let (after, book) = draw(&spec(vec![small(), changed]), 3);
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.arrival, &before.name), (after.arrival, &after.name));
        if before.name.starts_with("small") {
            assert_eq!(before, after);
        } else {
            assert_eq!(before.ask.tenant, after.ask.tenant);
            assert_eq!(after.ask.demand.gpu_milli(), 2_000);
        }
    }
    // Half of 2,000 are large (deviation 22.4), 3/4 of those b's.
    let large = after.iter().filter(|work| work.name.starts_with("large")).count();
    assert!(large.abs_diff(1_000) < 112, "{large}");
    let b = after.iter().filter(|work| book.tenants()[work.ask.tenant].name == "b").count();
    assert!(b.abs_diff(large * 3 / 4) < 70, "{b} of {large}");
}

#[test]
fn batches_arrive_together_and_counts_are_kept() {
    let batches = SynthSpec {
        batch: Some(Distribution::Constant(3.0)),
        until: Until::Count(7),
        ..spec(vec![small()])
    };
    let (found, _) = draw(&batches, 1);
    assert_eq!(found.len(), 7);
    assert_eq!(found[0].arrival, found[2].arrival);
    assert!(found[2].arrival < found[3].arrival);
}

#[test]
fn estimates_and_deadlines_are_multiples_of_the_runtime() {
    let class = SynthClass {
        runtime: Distribution::Constant(100.0),
        estimate: Some(Distribution::Constant(2.0)),
        deadline: Some(Distribution::Constant(3.0)),
        ..small()
    };
    let (found, _) = draw(&spec(vec![class]), 1);
    assert_eq!(found[0].ask.estimate, Some(Span::from_secs(200)));
    assert_eq!(found[0].ask.deadline, Some(found[0].arrival + Span::from_secs(300)));
}

#[test]
fn constant_work_is_not_random() {
    let constant = SynthSpec {
        arrivals: Arrivals::Every(Span::HOUR),
        batch: None,
        until: Until::Count(3),
        classes: vec![SynthClass::default()],
    };
    assert!(!constant.is_random());
    let law: Distribution = "uniform(low=1, high=2)".parse().expect("a law");
    let class = |class: SynthClass| SynthSpec { classes: vec![class], ..constant.clone() };
    let random = [
        SynthSpec { arrivals: Arrivals::Poisson { per_hour: 1.0 }, ..constant.clone() },
        SynthSpec { arrivals: Arrivals::Renewal(law.clone()), ..constant.clone() },
        SynthSpec { batch: Some(law.clone()), ..constant.clone() },
        SynthSpec { classes: vec![SynthClass::default(); 2], ..constant.clone() },
        class(SynthClass { runtime: law.clone(), ..SynthClass::default() }),
        class(SynthClass { memory: law.clone(), ..SynthClass::default() }),
        class(SynthClass { deadline: Some(law), ..SynthClass::default() }),
        class(SynthClass { tenants: vec![("a".to_owned(), 1.0); 2], ..SynthClass::default() }),
    ];
    assert!(random.iter().all(SynthSpec::is_random));
}

#[test]
fn the_nearest_whole_number_is_that_of_the_library() {
    let far = FAR as f64;
    let some = [0.0, 0.499_999_999_999_999_94, 0.5, 1.499_999_999_999_999_8, 1.5, 2.5, 1e15 + 0.5];
    let mut stream = Stream::new(1, "nearest");
    let drawn =
        std::iter::repeat_with(|| stream.uniform() * libm::pow(10.0, stream.uniform() * 17.0));
    for value in some.into_iter().chain([far - 1.0, far]).chain(drawn.take(10_000)) {
        assert_eq!(nearest(value), libm::round(value) as i64, "{value}");
    }
}

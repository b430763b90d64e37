use super::*;
use crate::model::{Ask, World};
use crate::state::testing::{demand, fill, instance, owned, shape, start, submit};
use crate::state::{ClassBy, Ending, IndexBy, Needs, Phase, Refusal, Share, WorkRef};
use crate::units::{Demand, Free, Id, Occupancy, Scalar, Stream, WHOLE_GPU};

const ORDERS: [IndexBy; 4] = [
    IndexBy::Age,
    IndexBy::Least(Scalar::Gpu),
    IndexBy::Least(Scalar::Mean),
    IndexBy::Least(Scalar::Cpu),
];

fn needs(index: IndexBy) -> Needs {
    Needs { index, classes: ClassBy::FreeAndKinds, ..Needs::default() }
}

/// Two instances with four devices each.
fn two() -> World {
    let mut world = owned(&[shape(8_000, 8_192, 4)]);
    world.offers[Id::new(0)].running_at_start = 2;
    world
}

/// Work of one task that asks so much.
fn asks(state: &mut State<'_>, demand: Demand) -> WorkRef {
    submit(state, 7, Ask { demand, ..Ask::default() })
}

/// What is free of the first instance: whole devices, milli-shares, and tasks of one device, of two and of
/// 300 milli-shares.
fn room(state: &State<'_>) -> (u8, u32, [u32; 3]) {
    let one = state.instance(instance(state, 0));
    let tasks = [(1, 1_000), (2, 1_000), (1, 300)].map(|(gpus, share)| demand(0, 0, gpus, share));
    (one.free.whole_gpus, one.free_gpu, tasks.map(|task| one.room(task)))
}

/// Faults break and mend devices by turns: a device works when none of them holds it any more.
#[test]
fn a_device_is_broken_while_any_fault_holds_it() {
    let world = two();
    // (fault, devices, breaks): what changes, what is broken then, and room of 4, 3, 2, 4 devices.
    let steps = [
        (0, 0b0010, true, 0b0010, 0b0010, (3, 3_000, [3, 1, 9])),
        (5, 0b0110, true, 0b0100, 0b0110, (2, 2_000, [2, 1, 6])),
        (0, 0b0010, false, 0, 0b0110, (2, 2_000, [2, 1, 6])),
        (9, u32::MAX, false, 0, 0b0110, (2, 2_000, [2, 1, 6])),
        (5, u32::MAX, false, 0b0110, 0, (4, 4_000, [4, 2, 12])),
        (3, u32::MAX, true, 0b1111, 0b1111, (0, 0, [0, 0, 0])),
        (3, u32::MAX, false, 0b1111, 0, (4, 4_000, [4, 2, 12])),
    ];
    for index in ORDERS {
        let mut state = start(&world, needs(index));
        let target = instance(&state, 0);
        for (row, (fault, devices, breaks, changed, broken, wanted)) in steps.iter().enumerate() {
            assert_eq!(state.set_broken(target, (*fault, *devices), *breaks), *changed, "{row}");
            assert_eq!(
                (state.instance(target).broken(), room(&state)),
                (*broken, *wanted),
                "{row}"
            );
            let out = broken.count_ones();
            assert_eq!(state.totals().broken, u64::from(out), "{row}");
            assert_eq!(state.totals().capacity.gpu, 8_000 - 1_000 * i64::from(out), "{row}");
            assert_eq!(state.totals().capacity.cpu, 16_000, "{row}");
        }
    }
}

/// The index, the index of empty instances, the classes and the scalar pool find no room on a broken
/// device, and the rest of the machine all the same.
#[test]
fn whoever_looks_for_room_sees_working_devices_alone() {
    let world = two();
    for index in ORDERS {
        let mut state = start(&world, needs(index));
        let [first, second] = [0, 1].map(|ordinal| instance(&state, ordinal));
        let four = asks(&mut state, demand(0, 0, 4, WHOLE_GPU));
        assert_eq!(state.scalar_room(), Some(2));
        for one in [first, second] {
            state.set_broken(one, (0, 0b0001), true);
        }
        assert_eq!((state.first_fit(four, 0), state.scalar_room()), (None, Some(0)), "{index:?}");
        let share = Share { instance: first, tasks: 1, devices: 0b1111 };
        assert_eq!(state.place(four, share), Err(Refusal::NoRoom));
        let alone = |gpus| Demand { exclusive: true, ..demand(0, 0, gpus, WHOLE_GPU) };
        let [four_alone, three_alone] = [4, 3].map(|gpus| asks(&mut state, alone(gpus)));
        assert_eq!(state.first_fit(four_alone, 0), None, "{index:?}");
        assert!(state.first_fit(three_alone, 0).is_some(), "{index:?}");
        let cores = asks(&mut state, demand(8_000, 0, 0, 0));
        assert!(state.first_fit(cores, 0).is_some(), "{index:?}");
        let one = asks(&mut state, demand(0, 0, 1, WHOLE_GPU));
        let share = Share { instance: first, tasks: 1, devices: 0b0001 };
        assert_eq!(state.place(one, share), Err(Refusal::Devices));
        let devices = state.instance(first).tightest_devices(demand(0, 0, 1, WHOLE_GPU), 1);
        assert_eq!(devices, Some(0b0010));
        let classes: Vec<_> = state.classes().map(|(_, class)| class.devices().to_vec()).collect();
        assert_eq!(classes, [[0, 1_000, 1_000, 1_000]]);
        state.set_broken(second, (0, 0b0001), false);
        assert_eq!(state.first_fit(four, 0).map(|found| found.0), Some(second), "{index:?}");
        assert_eq!(state.first_fit(four_alone, 0).map(|found| found.0), Some(second), "{index:?}");
    }
}

/// A device breaks, or works again, under work that has the machine alone and does not hold it: the
/// work leaves what works.
#[test]
fn who_has_a_machine_alone_leaves_what_works_of_it() {
    let world = two();
    let demand = Demand { exclusive: true, ..demand(1_000, 0, 2, WHOLE_GPU) };
    for (breaks, left) in [(true, 2), (false, 4)] {
        let mut state = start(&world, needs(IndexBy::Age));
        let target = instance(&state, 0);
        state.set_broken(target, (0, 0b1000), !breaks);
        let work = fill(&mut state, 0, demand);
        state.set_broken(target, (0, 0b1000), false);
        state.set_broken(target, (1, 0b1100), breaks);
        assert_eq!(state.instance(target).free, Free::EXCLUSIVE);
        let allocation = state.work(work).allocations[0];
        assert!(state.holds_devices(allocation, target, 0b0001));
        assert!(!state.holds_devices(allocation, target, 0b1100));
        state.stop(allocation, Ending::Done);
        let now = state.instance(target);
        assert_eq!((now.free.whole_gpus, now.free_gpu), (left, u32::from(left) * 1_000));
        assert_eq!((now.free.cpu, now.free.occupancy), (8_000, Occupancy::Empty));
    }
}

/// A machine that is down is no capacity, whatever breaks of it meanwhile.
#[test]
fn a_machine_comes_up_with_the_devices_that_work() {
    let world = two();
    let mut state = start(&world, needs(IndexBy::Age));
    let target = instance(&state, 0);
    state.put_down(target);
    assert_eq!(state.totals().capacity.gpu, 4_000);
    assert_eq!(state.set_broken(target, (0, 0b0011), true), 0b0011);
    assert_eq!((state.totals().capacity.gpu, state.totals().broken), (4_000, 0));
    state.take_up(target);
    assert_eq!((state.totals().capacity.gpu, state.totals().broken), (6_000, 2));
    state.put_down(target);
    state.set_broken(target, (0, 0b0011), false);
    state.take_up(target);
    assert_eq!((state.totals().capacity.gpu, state.totals().broken), (8_000, 0));
}

/// A rented machine takes its broken devices with it; the next one in its place is whole.
#[test]
fn the_next_machine_is_whole() {
    let mut world = owned(&[shape(8_000, 8_192, 4)]);
    let offer = Id::new(0);
    (world.offers[offer].market, world.offers[offer].running_at_start) =
        (crate::model::Market::OnDemand, 0);
    let mut state = start(&world, needs(IndexBy::Age));
    let first = state.launch(offer, Phase::Running);
    state.set_broken(first, (0, 0b0111), true);
    assert_eq!((state.totals().capacity.gpu, state.totals().broken), (1_000, 3));
    state.release(first).expect("it is empty");
    assert_eq!((state.totals().capacity.gpu, state.totals().broken), (0, 0));
    state.drop_instance(first);
    let next = state.launch(offer, Phase::Running);
    assert_eq!((state.instance(next).slot, state.instance(next).free_gpu), (0, 4_000));
    assert_eq!(state.working_of(next, u32::MAX), 0b1111);
}

/// Work comes and goes, and devices break and work again: at every step each device is free, held or
/// broken, counted by hand, and the scalar pool counts the tasks that fit.
#[test]
fn every_device_is_held_free_or_broken() {
    let world = two();
    let mut stream = Stream::new(11, "broken devices");
    let (mut broke, mut placed) = (0, 0);
    for index in ORDERS {
        for share in [WHOLE_GPU, 300] {
            let mut state = start(&world, needs(index));
            let task = demand(100, 0, 1, share);
            let mut running: Vec<(WorkRef, u32, u32)> = Vec::new();
            for _ in 0..600 {
                let ordinal = stream.below(2) as u32;
                let target = instance(&state, ordinal);
                let devices = 1 << stream.below(4);
                match stream.below(4) {
                    0 | 1 if state.instance(target).room(task) > 0 => {
                        let chosen = state.instance(target).tightest_devices(task, 1);
                        let work = fill(&mut state, ordinal, task);
                        running.push((work, ordinal, chosen.expect("it fits")));
                        placed += 1;
                    }
                    2 => {
                        let breaks = stream.below(2) == 0;
                        let hit =
                            |row: &(WorkRef, u32, u32)| row.1 == ordinal && row.2 & devices != 0;
                        for (work, ..) in running.iter().filter(|row| breaks && hit(row)) {
                            end(&mut state, *work);
                        }
                        running.retain(|row| !breaks || !hit(row));
                        let fault = stream.below(3) as usize;
                        broke += u32::from(state.set_broken(target, (fault, devices), breaks) != 0);
                    }
                    _ if !running.is_empty() => {
                        let at = stream.below(running.len() as u64) as usize;
                        end(&mut state, running.swap_remove(at).0);
                    }
                    _ => {}
                }
                let mut fitting = 0;
                for ordinal in 0..2 {
                    let one = state.instance(instance(&state, ordinal));
                    let mut free = [WHOLE_GPU; 4];
                    for (at, free) in free.iter_mut().enumerate() {
                        let held =
                            running.iter().filter(|row| row.1 == ordinal && row.2 == 1 << at);
                        *free -= share * held.count() as u16;
                        if one.broken() & (1 << at) != 0 {
                            assert_eq!(*free, WHOLE_GPU, "nothing holds a broken device");
                            *free = 0;
                        }
                    }
                    assert_eq!(one.devices(), free);
                    assert_eq!(one.free_gpu, free.iter().map(|&free| u32::from(free)).sum::<u32>());
                    fitting += free.iter().map(|&free| u64::from(free / share)).sum::<u64>();
                }
                if !running.is_empty() {
                    assert_eq!(state.scalar_room(), Some(fitting), "{index:?}, {share}");
                }
            }
        }
    }
    assert!(broke > 200 && placed > 1_000, "{broke}, {placed}");
}

fn end(state: &mut State<'_>, work: WorkRef) {
    let allocation = state.work(work).allocations[0];
    state.stop(allocation, Ending::Done);
    state.close(allocation, &mut Vec::new());
    state.drop_allocation(allocation);
    state.forget(work);
}

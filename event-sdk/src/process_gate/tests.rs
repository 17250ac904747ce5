//! Tests of the gate: order, fairness, cancelled waits, and many threads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::{Alone, Exclude, ProcessGate, Share, WaitForShare};

fn poll(exclude: &mut Exclude) -> Option<Alone> {
    match Pin::new(exclude).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(alone) => Some(alone),
        Poll::Pending => None,
    }
}

fn wait(gate: &Arc<ProcessGate>) -> Option<WaitForShare> {
    gate.wait_for_share(Waker::noop())
}

#[test]
fn one_runs_alone_after_the_others_have_ended() {
    let gate = Arc::<ProcessGate>::default();
    let (a, b) = (gate.try_share().unwrap(), gate.try_share().unwrap());
    let mut exclude = gate.exclude();
    assert!(poll(&mut exclude).is_none());
    assert!(
        gate.try_share().is_none(),
        "nobody overtakes one that waits"
    );
    drop(a);
    assert!(poll(&mut exclude).is_none());
    drop(b);
    let alone = poll(&mut exclude).unwrap();
    assert!(gate.try_share().is_none());
    let mut second = gate.exclude();
    assert!(poll(&mut second).is_none());
    drop(alone);
    let alone = poll(&mut second).unwrap();
    drop(alone);
    assert!(gate.try_share().is_some());
}

#[test]
fn shares_come_between_two_that_run_alone() {
    let gate = Arc::<ProcessGate>::default();
    let mut first = gate.exclude();
    let alone = poll(&mut first).unwrap();
    let mut second = gate.exclude();
    assert!(poll(&mut second).is_none());
    let waits = wait(&gate).unwrap();
    drop(alone);
    // The one that waited takes as many shares as it likes, while it keeps its place.
    assert!(poll(&mut second).is_none());
    let shares: Vec<_> = (0..3).map(|_| gate.try_share().unwrap()).collect();
    drop(waits);
    assert!(gate.try_share().is_none());
    assert!(poll(&mut second).is_none());
    drop(shares);
    assert!(poll(&mut second).is_some());
}

#[test]
fn one_that_was_woken_finds_the_gate_open() {
    let gate = Arc::<ProcessGate>::default();
    let mut first = gate.exclude();
    let alone = poll(&mut first).unwrap();
    let waits = wait(&gate).unwrap();
    drop(alone);
    // It comes before one that wants to run alone only now.
    let mut second = gate.exclude();
    assert!(poll(&mut second).is_none());
    let share = gate.try_share().unwrap();
    drop((waits, share));
    assert!(poll(&mut second).is_some());
}

#[test]
fn cancelled_waits_leave_nothing_behind() {
    let gate = Arc::<ProcessGate>::default();
    let share = gate.try_share().unwrap();
    let mut exclude = gate.exclude();
    assert!(poll(&mut exclude).is_none());
    let waits = wait(&gate).unwrap();
    drop(exclude);
    assert!(gate.try_share().is_some());
    drop(waits);
    // Dropped when it was its turn, and before it knew.
    let mut exclude = gate.exclude();
    assert!(poll(&mut exclude).is_none());
    drop(share);
    drop(exclude);
    assert!(gate.try_share().is_some());
    // One that waits for a share and goes away does not hold up the next.
    let mut first = gate.exclude();
    let alone = poll(&mut first).unwrap();
    let mut second = gate.exclude();
    assert!(poll(&mut second).is_none());
    let waits = wait(&gate).unwrap();
    drop(alone);
    drop(waits);
    assert!(poll(&mut second).is_some());
    // One that was never polled has no place.
    drop(gate.exclude());
    assert!(gate.try_share().is_some());
}

#[test]
fn an_open_gate_lets_nobody_wait() {
    let gate = Arc::<ProcessGate>::default();
    assert!(wait(&gate).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn never_two_beside_one_that_runs_alone() {
    let gate = Arc::<ProcessGate>::default();
    let running = Arc::new(AtomicUsize::new(0));
    let alone = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for task in 0..16 {
        let (gate, running, alone) = (gate.clone(), running.clone(), alone.clone());
        tasks.push(tokio::spawn(async move {
            for round in 0..200 {
                if (task + round) % 7 == 0 {
                    let guard = gate.exclude().await;
                    assert!(!alone.swap(true, Ordering::SeqCst));
                    assert_eq!(running.load(Ordering::SeqCst), 0);
                    tokio::task::yield_now().await;
                    assert_eq!(running.load(Ordering::SeqCst), 0);
                    alone.store(false, Ordering::SeqCst);
                    drop(guard);
                } else {
                    let share = share(&gate).await;
                    running.fetch_add(1, Ordering::SeqCst);
                    assert!(!alone.load(Ordering::SeqCst));
                    tokio::task::yield_now().await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    drop(share);
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(gate.try_share().is_some());
}

/// Takes a share as an engine does: it keeps its place until it has one.
async fn share(gate: &Arc<ProcessGate>) -> Share {
    let mut place: Option<WaitForShare> = None;
    std::future::poll_fn(|cx| {
        loop {
            if let Some(share) = gate.try_share() {
                place = None;
                return Poll::Ready(share);
            }
            if let Some(place) = &place {
                place.set_waker(cx.waker());
                if let Some(share) = gate.try_share() {
                    return Poll::Ready(share);
                }
                return Poll::Pending;
            }
            place = gate.wait_for_share(cx.waker());
        }
    })
    .await
}

/// What the participants of a random schedule do.
#[derive(Debug, Clone, Copy)]
enum Step {
    Share(usize),
    EndShare(usize),
    Exclude(usize),
    Poll(usize),
    Cancel(usize),
    Wait(usize),
    EndWait(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    (0..7_usize, 0..4_usize).prop_map(|(kind, who)| match kind {
        0 => Step::Share(who),
        1 => Step::EndShare(who),
        2 => Step::Exclude(who),
        3 => Step::Poll(who),
        4 => Step::Cancel(who),
        5 => Step::Wait(who),
        _ => Step::EndWait(who),
    })
}

proptest! {
    #[test]
    fn any_schedule_keeps_the_rules_and_ends_open(steps in proptest::collection::vec(any_step(), 0..60)) {
        let gate = Arc::<ProcessGate>::default();
        let mut shares: [Option<Share>; 4] = Default::default();
        let mut waits: [Option<WaitForShare>; 4] = Default::default();
        let mut excludes: [Option<Exclude>; 4] = Default::default();
        let mut alone: [Option<Alone>; 4] = Default::default();
        for step in steps {
            match step {
                Step::Share(who) => if shares[who].is_none() { shares[who] = gate.try_share() },
                Step::EndShare(who) => shares[who] = None,
                Step::Exclude(who) => excludes[who] = Some(gate.exclude()),
                Step::Poll(who) => if let Some(exclude) = &mut excludes[who] && let Some(got) = poll(exclude) {
                    excludes[who] = None;
                    alone[who] = Some(got);
                },
                Step::Cancel(who) => { excludes[who] = None; alone[who] = None; }
                Step::Wait(who) => waits[who] = gate.wait_for_share(Waker::noop()),
                Step::EndWait(who) => waits[who] = None,
            }
            let running = shares.iter().flatten().count();
            match alone.iter().flatten().count() {
                0 => {}
                1 => prop_assert_eq!(running, 0),
                more => prop_assert!(false, "{} run alone", more),
            }
        }
        drop((shares, waits, alone));
        // Whoever still waits has its turn.
        for exclude in excludes.iter_mut().flatten() {
            let got = poll(exclude).or_else(|| poll(exclude));
            drop(got);
        }
        drop(excludes);
        prop_assert!(gate.try_share().is_some());
        let mut last = pin!(gate.exclude());
        prop_assert!(poll(&mut last).is_some());
    }
}

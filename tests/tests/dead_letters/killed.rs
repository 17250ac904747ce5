//! A redrive that is killed at every point and repeated sends each letter exactly once.

use std::collections::BTreeMap;
use std::future::{IntoFuture as _, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use event_sdk::EventBus;
use event_sdk::dead_letters::{Audit, LetterFilter};

use crate::rig::{body, buses, letter, put, stored, within};
use crate::stepwise::{killed_after, stepwise};

const LETTERS: u64 = 12;

/// How often each subject of the retry stream was stored.
async fn sent(bus: &EventBus) -> BTreeMap<String, usize> {
    let mut sent = BTreeMap::new();
    for message in stored(bus, "DLQ_RETRY", "retry.>").await {
        *sent.entry(message.subject.to_string()).or_default() += 1;
    }
    sent
}

async fn assert_each_once(bus: &EventBus, letters: u64) {
    let sent = sent(bus).await;
    assert_eq!(sent.len() as u64, letters, "{sent:?}");
    assert!(sent.values().all(|times| *times == 1), "{sent:?}");
    let (queue, open) = (bus.dead_letters("DLQ"), LetterFilter::open());
    assert_eq!(within("a count", queue.count(&open)).await.unwrap(), 0);
}

#[tokio::test]
async fn killed_once_at_every_await() {
    let mut polls = 0;
    loop {
        let bus = stepwise(LETTERS).await;
        let queue = bus.dead_letters("DLQ");
        let redrive = queue.redrive(LetterFilter::open()).into_future();
        let ended = killed_after(polls, redrive).await.is_some();
        let before = sent(&bus).await.len();
        let report = queue.redrive(LetterFilter::open()).await.unwrap();
        let rest = report.redriven.len();
        assert_eq!(before + rest, usize::try_from(LETTERS).unwrap());
        assert!(report.already.len() <= 1, "{report:?}");
        assert_each_once(&bus, LETTERS).await;
        if ended {
            break;
        }
        polls += 1;
    }
    // A read and two publishes of each letter: more than three awaits.
    assert!(polls > usize::try_from(LETTERS).unwrap() * 4, "{polls}");
}

#[tokio::test]
async fn killed_again_and_again() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bus = stepwise(LETTERS).await;
        let queue = bus.dead_letters("DLQ");
        let mut kills = 0;
        loop {
            let redrive = queue.redrive(LetterFilter::open()).into_future();
            let polls = random.usize(1..40 + kills);
            if killed_after(polls, redrive).await.is_some() {
                break;
            }
            kills += 1;
        }
        assert_each_once(&bus, LETTERS).await;
    }
}

#[tokio::test]
async fn two_at_the_same_time_send_once() {
    for seed in 0..50 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bus = stepwise(LETTERS).await;
        let queue = bus.dead_letters("DLQ");
        let mut both = [
            Some(queue.redrive(LetterFilter::open()).into_future()),
            Some(queue.redrive(LetterFilter::open()).into_future()),
        ];
        let mut redriven = 0;
        while both.iter().any(Option::is_some) {
            let one = &mut both[random.usize(0..2)];
            let Some(future) = one else { continue };
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(report) = polled {
                redriven += report.unwrap().redriven.len();
                *one = None;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(redriven as u64, LETTERS);
        assert_each_once(&bus, LETTERS).await;
    }
}

/// An edit that is killed and repeated is sent once, and does not fail because of itself.
#[tokio::test]
async fn an_edit_killed_at_every_await() {
    let audit = Audit::by("bob").because("a typo");
    let edited = body(letter(1).event_id.unwrap(), 77);
    for polls in 0..30 {
        let bus = stepwise(LETTERS).await;
        let queue = bus.dead_letters("DLQ");
        let edit = queue.edit_and_redrive(1, edited.clone(), &audit);
        let ended = killed_after(polls, edit).await.is_some();
        if !ended {
            let again = queue.edit_and_redrive(1, edited.clone(), &audit).await;
            if let Err(error) = again {
                assert!(error.to_string().contains("\"redriven\""), "{error}");
            }
        }
        assert_eq!(sent(&bus).await.values().sum::<usize>(), 1);
        let report = queue.redrive(LetterFilter::open()).await.unwrap();
        assert_eq!(report.redriven.len() as u64, LETTERS - 1);
        assert_each_once(&bus, LETTERS).await;
    }
}

/// On a real server, the futures are dropped whatever they wait for.
#[tokio::test]
async fn killed_on_a_server() {
    let (_server, [_, bus]) = buses().await;
    let letters = 60;
    for number in 1..=letters {
        put(&bus, &letter(number)).await;
    }
    let queue = bus.dead_letters("DLQ");
    let mut random = fastrand::Rng::with_seed(7);
    let kills = AtomicUsize::new(0);
    let all = async {
        loop {
            let mut redrive = queue.redrive(LetterFilter::open()).into_future();
            let mut left = random.usize(1..60 + kills.load(Ordering::Relaxed));
            let ended = poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                redrive.as_mut().poll(cx).map(Some)
            });
            if ended.await.is_some() {
                break;
            }
            kills.fetch_add(1, Ordering::Relaxed);
        }
    };
    within("the redrives", all).await;
    assert_each_once(&bus, letters).await;
    assert!(kills.load(Ordering::Relaxed) > 3, "{kills:?}");
}

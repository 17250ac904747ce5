//! Handlers that abort their process: a supervisor starts it again, exactly these events become dead
//! letters, and others are repeated only if they were in flight at an abort.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use event_sdk::dead_letters::{DeadLetterClass, LetterFilter, Page};
use event_sdk_test_servers::Server;
use event_sdk_tests::lives::{self, Life, Story};
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{eventually, left, publish, start};

const EVENTS: u64 = 200;
const KILLERS: [u64; 4] = [20, 21, 110, 199];

fn service(server: &Server) -> Life {
    let mut command = Command::new(env!("CARGO_BIN_EXE_killers"));
    let killers = KILLERS.map(|number| number.to_string());
    Life::start(command.arg(server.url()).args(killers)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_events_that_abort_the_process_become_dead_letters() {
    let (server, bus) = start().await;
    publish(&bus, 0..EVENTS).await;
    let mut stories = BTreeMap::<u64, Story>::new();
    let mut aborts = 0;
    loop {
        let mut service = service(&server);
        let mut done = false;
        eventually("the end of the process, or of its work", async || {
            done = left(&bus, "killers").await == Some((0, 0));
            done || service.has_ended()
        })
        .await;
        if done {
            // A graceful end, so that nothing is in flight.
            kill_process(Pid::from_child(service.child()), Signal::TERM).unwrap();
            eventually("the graceful end", async || service.has_ended()).await;
        }
        let lines = service.into_lines();
        assert!(
            !lines.iter().any(|line| line.starts_with("error")),
            "{lines:?}"
        );
        lives::read(&lines, !done, &mut stories);
        if done {
            break;
        }
        aborts += 1;
        assert!(aborts <= 4 * KILLERS.len(), "too many aborts");
    }

    let letters = bus.dead_letters("DLQ");
    let letters = letters
        .list(&LetterFilter::default(), Page::ALL)
        .await
        .unwrap();
    // Sequences begin with one, numbers with zero.
    let dead: BTreeSet<_> = letters
        .iter()
        .map(|letter| letter.origin.sequence - 1)
        .collect();
    assert_eq!(dead, BTreeSet::from(KILLERS));
    assert_eq!(letters.len(), KILLERS.len());
    for letter in &letters {
        assert_eq!(letter.class, DeadLetterClass::KilledProcess);
        assert_eq!(letter.attempts, 3);
    }
    for number in 0..EVENTS {
        let story = &stories[&number];
        if KILLERS.contains(&number) {
            assert!((3..=4).contains(&story.starts), "event {number}: {story:?}");
            assert_eq!(story.ends, 0);
        } else {
            assert!(story.ends >= 1, "event {number}: {story:?}");
            assert!(
                story.starts <= 1 + story.interrupted,
                "event {number} was repeated without having been in flight: {story:?}"
            );
        }
    }
    let bucket = bus.coordination();
    // The record of an event whose acknowledgement was the last act of a process stays until it expires.
    let may_stay = |key: &str| {
        let sequence = key.rsplit('.').next().and_then(|last| last.parse().ok());
        let number = sequence.map(|sequence: u64| sequence - 1);
        number.is_some_and(|number| {
            KILLERS.contains(&number) || stories[&number].interrupted_after > 0
        })
    };
    eventually("the end of all other records", async || {
        let records = bucket.list("attempts").await.unwrap();
        records.iter().all(|record| may_stay(&record.key))
    })
    .await;
    let repeated = stories.values().filter(|story| story.starts > 1).count();
    println!("{aborts} aborts, {repeated} events were started more than once");
}

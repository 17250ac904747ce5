//! Handlers that abort their process: a supervisor starts it again, exactly these events become dead
//! letters, and others are repeated only if they were in flight at an abort.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use event_sdk::dead_letters::{DeadLetterClass, LetterFilter, Page};
use event_sdk_test_servers::Server;
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{eventually, left, publish, start};

const EVENTS: u64 = 200;
const KILLERS: [u64; 4] = [20, 21, 110, 199];

/// How long an acknowledgement may be on its way after the handler has ended.
const ON_ITS_WAY: u128 = 500;

/// A life of the service.
struct Service {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Service {
    fn start(server: &Server) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_killers"))
            .arg(server.url())
            .args(KILLERS.map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let into = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                into.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines,
            reader: Some(reader),
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// All lines of a service that has ended.
    fn into_lines(mut self) -> Vec<String> {
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the lives of the service did with an event.
#[derive(Debug, Default)]
struct Story {
    starts: u32,
    ends: u32,
    /// Lives that ended while the event was in flight.
    interrupted: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_events_that_abort_the_process_become_dead_letters() {
    let (server, bus) = start().await;
    publish(&bus, 0..EVENTS).await;
    let mut stories = BTreeMap::<u64, Story>::new();
    let mut aborts = 0;
    loop {
        let mut service = Service::start(&server);
        let mut done = false;
        eventually("the end of the process, or of its work", async || {
            done = left(&bus, "killers").await == Some((0, 0));
            done || service.has_ended()
        })
        .await;
        if done {
            // A graceful end, so that nothing is in flight.
            kill_process(Pid::from_child(&service.child), Signal::TERM).unwrap();
            eventually("the graceful end", async || service.has_ended()).await;
        }
        let lines = service.into_lines();
        assert!(
            !lines.iter().any(|line| line.starts_with("error")),
            "{lines:?}"
        );
        read(&lines, !done, &mut stories);
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
    eventually("the end of all records", async || {
        bucket.list("attempts").await.unwrap().is_empty()
    })
    .await;
    let repeated = stories.values().filter(|story| story.starts > 1).count();
    println!("{aborts} aborts, {repeated} events were started more than once");
}

/// Reads the lines of one life.
fn read(lines: &[String], aborted: bool, stories: &mut BTreeMap<u64, Story>) {
    let mut open = BTreeSet::new();
    let mut ended = Vec::new();
    let mut last = 0;
    for line in lines {
        let words: Vec<_> = line.split(' ').collect();
        let [what @ ("start" | "end"), number, at] = words[..] else {
            continue;
        };
        let number: u64 = number.parse().unwrap();
        last = at.parse::<u128>().unwrap().max(last);
        let story = stories.entry(number).or_default();
        if what == "start" {
            story.starts += 1;
            open.insert(number);
        } else {
            story.ends += 1;
            open.remove(&number);
            ended.push((number, last));
        }
    }
    if aborted {
        let on_its_way = ended.iter().filter(|(_, at)| last - at < ON_ITS_WAY);
        open.extend(on_its_way.map(|(number, _)| *number));
        for number in open {
            stories.entry(number).or_default().interrupted += 1;
        }
    }
}

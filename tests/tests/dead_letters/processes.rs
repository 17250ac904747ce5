//! The redrive as a command of its own, killed again and again (`SIGKILL`): each letter is handled
//! once. If the service is killed too, only what it had in flight is repeated. `cargo xtask long
//! redrive` runs this with 1,000 letters and 100 kills.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::consumer::{Ctx, Failure};
use event_sdk::dead_letters::{DeadLetters, LetterFilter, RedriveOutcome};
use event_sdk::transport::{StreamState, TransportExt as _};
use event_sdk_test_servers::Server;
use event_sdk_tests::letters::{Tallied, billing, builder, open_letters};
use event_sdk_tests::lives::{self, Life, Story};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::rig::{connect, within};

/// A number of the environment, for the long form.
fn number(name: &str, otherwise: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => otherwise,
    }
}

fn letters() -> usize {
    number("REDRIVE_LETTERS", 200)
}

fn kills() -> usize {
    number("REDRIVE_KILLS", 15)
}

/// The places where processes are killed differ from run to run; the seed repeats them.
fn random() -> fastrand::Rng {
    let seed = number("REDRIVE_SEED", 0);
    let seed = if seed == 0 {
        fastrand::usize(1..)
    } else {
        seed
    };
    println!("REDRIVE_SEED={seed}");
    fastrand::Rng::with_seed(seed as u64)
}

/// Longer than in other tests: the long form has 100 kills, and machines are loaded.
const PATIENCE: Duration = Duration::from_mins(15);

async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !ask().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A server where every event of `billing` is a dead letter, and `audit` has handled all events.
async fn start(events: usize) -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let bus = connect(&server, builder()).await;
    within("the streams", bus.apply()).await.unwrap();
    let numbers = 0..u64::try_from(events).unwrap();
    let publisher = bus.publisher::<Tallied>();
    let all = publisher.publish_all(numbers.map(|number| Tallied { number }));
    within("the events", all).await.unwrap();
    let consumer = billing(&bus).concurrency(64);
    let rejecting =
        consumer.on(|_: Tallied, _: Ctx| async { Err(Failure::reject("no price list")) });
    let audit = bus
        .consumer::<Tallied>("audit")
        .dead_letters(DeadLetters::stream("DLQ"));
    let audit = audit
        .concurrency(64)
        .on(|_: Tallied, _: Ctx| async { Ok(()) });
    let consumers = event_sdk::consumer::Consumers::new();
    consumers.add(rejecting).unwrap();
    consumers.add(audit).unwrap();
    within("the consumers", consumers.ready()).await.unwrap();
    let idle = tokio::time::timeout(PATIENCE, consumers.idle()).await;
    idle.expect("they handle all").unwrap();
    let report = within("the end", consumers.run_until(async {})).await;
    report.into_result().unwrap();
    let queue = bus.dead_letters("DLQ");
    let count = within("a count", queue.count(&open_letters())).await;
    assert_eq!(count.unwrap(), events as u64);
    (server, bus)
}

/// The program, with these arguments behind the address.
fn program(server: &Server, what: &str, arguments: &[&str]) -> Life {
    let mut command = Command::new(env!("CARGO_BIN_EXE_letters"));
    Life::start(command.arg(what).arg(server.url()).args(arguments)).unwrap()
}

/// Runs the program to its end, and returns its last line.
async fn to_the_end(mut life: Life) -> String {
    eventually("the end of the command", async || life.has_ended()).await;
    let mut lines = life.into_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

async fn state(bus: &EventBus, stream: &str) -> StreamState {
    within("the state", bus.stream_state(stream)).await.unwrap()
}

/// How many events were redriven so far.
async fn sent(bus: &EventBus) -> usize {
    usize::try_from(state(bus, "DLQ_RETRY").await.messages).unwrap()
}

/// Runs the redrive again and again, and kills it at these places. Returns its last line, and how
/// often it was killed after the first and before the last letter.
async fn redrive_killed(
    server: &Server,
    bus: &EventBus,
    random: &mut fastrand::Rng,
) -> (String, usize) {
    let all = letters();
    let mut places: Vec<_> = (0..kills()).map(|_| random.usize(0..all)).collect();
    places.sort_unstable();
    let mut between = 0;
    for place in places {
        let mut life = program(server, "redrive", &["0"]);
        eventually("a redrive to kill", async || {
            sent(bus).await >= place || life.has_ended()
        })
        .await;
        // Anywhere between the steps of a letter, or while it begins.
        tokio::time::sleep(Duration::from_micros(random.u64(0..20_000))).await;
        let (killed, lines) = life.kill();
        assert!(
            !lines.iter().any(|line| line.starts_with("error")),
            "{lines:?}"
        );
        let sent = sent(bus).await;
        between += usize::from(killed && sent > 0 && sent < all);
    }
    (
        to_the_end(program(server, "redrive", &["0"])).await,
        between,
    )
}

/// What another consumer has received: of the events, and of what was redriven.
async fn received_by(bus: &EventBus, consumer: &str) -> [u64; 2] {
    let mut received = [0; 2];
    for (stream, received) in ["TALLIES", "DLQ_RETRY"].into_iter().zip(&mut received) {
        let info = bus.transport().consumer_info(stream, consumer);
        *received = within("a position", info).await.unwrap().deliveries;
    }
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_killed_redrives_each_letter_once() {
    let (all, mut random) = (letters(), random());
    let (server, bus) = start(all).await;
    let before = received_by(&bus, "audit").await;
    assert_eq!(before[1], 0);

    // A dry run changes nothing.
    let streams = ["TALLIES", "DLQ", "DLQ_RETRY"];
    let states = async || {
        let mut states = Vec::new();
        for stream in streams {
            let state = state(&bus, stream).await;
            states.push((state.messages, state.last_sequence));
        }
        states
    };
    let unchanged = states().await;
    let line = to_the_end(program(&server, "dry-run", &[])).await;
    assert_eq!(line, format!("selected {all} redriven 0 already 0 other 0"));
    assert_eq!(states().await, unchanged);

    let handled = Arc::<Mutex<BTreeMap<u64, usize>>>::default();
    let early = Arc::new(AtomicUsize::new(0));
    let (counts, not_redriven) = (Arc::clone(&handled), Arc::clone(&early));
    let consumer = billing(&bus).on(move |event: Tallied, ctx: Ctx| {
        if ctx.redriven().map(|redriven| redriven.redrive) != Some(1) {
            not_redriven.fetch_add(1, Ordering::Relaxed);
        }
        *counts.lock().unwrap().entry(event.number).or_default() += 1;
        async { Ok(()) }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    let (line, between) = redrive_killed(&server, &bus, &mut random).await;
    println!(
        "{} kills, {between} of them between two letters; then: {line}",
        kills()
    );
    assert!(
        between * 4 >= kills(),
        "only {between} kills were between two letters"
    );
    assert!(
        line.starts_with("selected ") && line.ends_with(" other 0"),
        "{line}"
    );

    let queue = bus.dead_letters("DLQ");
    eventually("all handlers", async || {
        handled.lock().unwrap().len() == all
    })
    .await;
    eventually("all outcomes", async || {
        let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
        outcomes.len() == all && outcomes.values().all(|it| *it == RedriveOutcome::Handled)
    })
    .await;
    assert!(handled.lock().unwrap().values().all(|times| *times == 1));
    assert_eq!(early.load(Ordering::Relaxed), 0);
    assert_eq!(sent(&bus).await, all);
    assert_eq!(
        within("a count", queue.count(&open_letters()))
            .await
            .unwrap(),
        0
    );
    assert_eq!(received_by(&bus, "audit").await, before);
    assert_eq!(state(&bus, "TALLIES").await.messages, all as u64);
    drop(stop);
    let report = within("the end", running).await.unwrap().unwrap();
    assert_eq!(report.handled, all as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_service_killed_too_only_what_was_in_flight_is_repeated() {
    let (all, mut random) = (letters(), random());
    let (server, bus) = start(all).await;
    let mut places: Vec<_> = (0..kills()).map(|_| random.usize(1..all)).collect();
    places.sort_unstable();
    let mut stories = BTreeMap::<u64, Story>::new();
    let errors = |lines: &[String]| lines.iter().any(|line| line.starts_with("error"));
    let service = async {
        for place in places {
            let life = program(&server, "handle", &[]);
            let ended: usize = stories
                .values()
                .map(|story| story.ends.min(1) as usize)
                .sum();
            eventually("a handler to kill", async || {
                ended + life.count("end") >= place
            })
            .await;
            let (killed, lines) = life.kill();
            assert!(killed && !errors(&lines), "{lines:?}");
            lives::read(&lines, true, &mut stories);
        }
    };
    let ((), (line, _)) = tokio::join!(service, redrive_killed(&server, &bus, &mut random));
    println!("{line}");
    // Its last life ends gracefully.
    let mut last = program(&server, "handle", &[]);
    eventually("the rest", async || {
        let info = bus.transport().consumer_info("DLQ_RETRY", "billing").await;
        info.is_ok_and(|info| (info.ack_pending, info.pending) == (0, 0))
    })
    .await;
    kill_process(Pid::from_child(last.child()), Signal::TERM).unwrap();
    eventually("the graceful end", async || last.has_ended()).await;
    let lines = last.into_lines();
    assert!(!errors(&lines), "{lines:?}");
    lives::read(&lines, false, &mut stories);

    assert_eq!(stories.len(), all);
    for (number, story) in &stories {
        assert!(story.ends >= 1, "event {number} is lost: {story:?}");
        assert!(
            story.starts <= 1 + story.interrupted,
            "event {number} was repeated without having been in flight: {story:?}"
        );
    }
    assert_eq!(sent(&bus).await, all);
    let repeats: u32 = stories.values().map(|story| story.starts - 1).sum();
    println!(
        "{} kills of each, {repeats} repeats of {all} events",
        kills()
    );
    let queue = bus.dead_letters("DLQ");
    let letters = within("a count", queue.count(&LetterFilter::all())).await;
    assert_eq!(letters.unwrap(), all as u64, "no event failed again");
}

/// The rate holds from the first event to the last one, however late they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_keeps_the_rate() {
    let (letters, rate) = (21, 20);
    let (server, bus) = start(letters).await;
    let begun = Instant::now();
    let line = to_the_end(program(&server, "redrive", &["20"])).await;
    let took = begun.elapsed();
    assert_eq!(
        line,
        format!("selected {letters} redriven {letters} already 0 other 0")
    );
    let least = Duration::from_secs(1) * u32::try_from(letters - 1).unwrap() / rate;
    assert!(took >= least, "{letters} events took {took:?}");
    assert_eq!(sent(&bus).await, letters);
}

//! The periodic line, on a stepped clock: when it is logged, what it says, and when it ends.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk_observe::health::{Health, HealthLine};
use tokio::sync::oneshot;
use tracing::subscriber::DefaultGuard;

use crate::rig::{Running, Service, gated, until};

const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);

/// What is logged in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn install(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        let subscriber = subscriber.with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    /// The lines of the health so far.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.contains("event_sdk::observe"));
        lines.map(ToOwned::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets the other tasks of this thread run until they wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_line_says_every_ten_minutes_what_was_handled_and_ends_with_the_service() {
    let log = Log::default();
    let _installed = log.install();
    let service = Service::start().await;
    let (consumer, gate) = gated(&service.bus);
    let health = Health::builder(&service.bus).consumer(&consumer).build();
    let running = Running::start(consumer).await;
    let (end, ended) = oneshot::channel::<()>();
    let line = health
        .periodic_line()
        .run_until(async { drop(ended.await) });
    let line = tokio::spawn(line);
    gate.add_permits(3);
    service.publish(3).await;
    until("three events are handled", async || {
        health.line().await.handled == 3
    })
    .await;

    settle().await;
    service.clock.advance(Duration::from_secs(10 * 60 - 1));
    settle().await;
    assert_eq!(log.lines(), [""; 0]);
    service.clock.advance(Duration::from_secs(1));
    until("the first line", async || !log.lines().is_empty()).await;
    let first = &log.lines()[0];
    assert!(first.contains("INFO"), "{first}");
    let says = "health ok, 0 problems; 3 events handled of 3; ";
    assert!(first.contains(says), "{first}");
    assert!(first.contains("; up 0 h 10 min"), "{first}");
    assert!(first.contains("handled=3 ended=3"), "{first}");

    service.clock.advance(TEN_MINUTES);
    until("the second line", async || log.lines().len() == 2).await;
    assert!(log.lines()[1].contains("up 0 h 20 min"));
    // The process stood still: what was missed is not made up for.
    service.clock.advance(10 * TEN_MINUTES);
    until("the third line", async || log.lines().len() == 3).await;
    settle().await;
    assert_eq!(log.lines().len(), 3);

    drop(end);
    line.await.unwrap();
    running.end().await;
}

#[tokio::test]
async fn memory_beyond_the_limit_is_a_warning_and_a_closed_bus_ends_the_lines() {
    let log = Log::default();
    let _installed = log.install();
    let service = Service::start().await;
    let health = Health::builder(&service.bus).build();
    let line = health.periodic_line();
    let line = line.every(Duration::from_secs(60)).memory_limit(1_000_000);
    let line = tokio::spawn(line.run());
    settle().await;
    service.clock.advance(Duration::from_secs(60));
    until("the line", async || !log.lines().is_empty()).await;
    let logged = &log.lines()[0];
    assert!(logged.contains("WARN"), "{logged}");
    assert!(logged.contains("; more memory than 1 MB: "), "{logged}");

    service.bus.close().await.unwrap();
    settle().await;
    service.clock.advance(Duration::from_secs(60));
    tokio::time::timeout(TEN_MINUTES, line)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn the_resident_memory_is_that_of_the_kernel() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).build();
    let HealthLine { resident_bytes, .. } = health.line().await;
    let Ok(pages) = std::fs::read_to_string("/proc/self/statm") else {
        assert_eq!(resident_bytes, None);
        return;
    };
    let pages: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    // A page has 4 KiB or more, and memory changes between the two looks.
    assert!(resident_bytes.unwrap() > pages * 4096 / 4);
}

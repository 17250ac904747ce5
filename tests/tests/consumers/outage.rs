//! A server that is unavailable while a consumer runs: no attempt counts, nothing is given up, and
//! all goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Ctx, Outcome, Retry};
use event_sdk::dead_letters::{DeadLetters, LetterFilter};
use event_sdk_tests::killers::{Counted, Echoed};
use tokio::sync::watch::Receiver;

use crate::rig::{connect, connect_with, eventually, left, publish, start, within};

/// How long the server is unavailable, in seconds; 30 in the long form.
fn away_for() -> Duration {
    let seconds = std::env::var("OUTAGE_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("OUTAGE_SECONDS is a number"));
    Duration::from_secs(seconds.unwrap_or(4))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_costs_no_attempt() {
    let (mut server, bus) = start().await;
    publish(&bus, 0..300).await;
    let service = connect_with(&server, Duration::from_secs(2)).await;
    let (handled, stop) = (
        Arc::new(AtomicU64::new(0)),
        tokio::sync::watch::Sender::new(false),
    );
    // Half of the events are not handled before the server is gone.
    let gone = tokio::sync::watch::Sender::new(false);
    let state = (Arc::clone(&handled), gone.subscribe());
    let consumer = service
        .consumer::<Counted>("echo")
        .on_with(
            state,
            |(count, mut gone): (Arc<AtomicU64>, Receiver<bool>), event: Counted, ctx: Ctx| async move {
                if event.number >= 150 {
                    let _ = gone.wait_for(|gone| *gone).await;
                }
                let outcome: Outcome = async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    // Its dependency is the server itself. The echo is an event of another subject.
                    let echo = Echoed {
                        number: event.number,
                    };
                    ctx.publish(echo).await?;
                    Ok(())
                }
                .await;
                if outcome.is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                outcome
            },
        )
        .concurrency(8)
        .retry(Retry::none())
        .dead_letters(DeadLetters::stream("DLQ"));
    let mut stopped = stop.subscribe();
    let running = tokio::spawn(consumer.run_until(async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }));
    eventually("some events", async || handled.load(Ordering::Relaxed) > 20).await;
    server.kill().await.unwrap();
    gone.send_replace(true);
    tokio::time::sleep(away_for()).await;
    let before = handled.load(Ordering::Relaxed);
    assert!(before < 300, "the server was away too late");
    within("the restart", server.restart()).await.unwrap();
    let bus = connect(&server).await;
    eventually("the rest", async || {
        left(&bus, "echo").await == Some((0, 0))
    })
    .await;
    stop.send_replace(true);
    let report = within("the end", running).await.unwrap().unwrap();
    assert_eq!(
        (
            report.failed_attempts,
            report.dead_lettered,
            report.terminated
        ),
        (0, 0, 0),
        "{report:?}"
    );
    assert!(report.outages > 0, "{report:?}");
    assert!(handled.load(Ordering::Relaxed) >= 300);
    let letters = bus.dead_letters("DLQ");
    assert_eq!(letters.count(&LetterFilter::default()).await.unwrap(), 0);
}

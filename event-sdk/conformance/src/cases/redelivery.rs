//! Cases for redelivery: ack wait, nak with delay, backoff, max deliver.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};

use super::{Failure, Got};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fence::FENCE;
use crate::fixture::Fixture;
use crate::reader::{Reader, number};
use crate::rig::{Rig, SHORT};
use event_sdk_core::transport::{Body, Exhausted, Incoming};

cases! { "redelivery":
    an_unsettled_message_comes_again [Store]
        "A message that nobody settles within the ack wait is delivered again, not earlier.";
    attempts_count_up [Store]
        "Each delivery of a message has the next attempt, whether it was put back or timed out.";
    a_redelivery_is_the_same_message [Store]
        "A message that comes again has the same body, headers, subject, sequence and time.";
    a_nak_brings_it_back_at_once [Store]
        "A nak without a delay brings a message back long before its ack wait ends.";
    nak_delay_is_kept [Store]
        "A nak with a delay brings a message back when the delay has passed, not earlier.";
    nak_delay_replaces_the_ack_wait [Store]
        "A delay that is longer than the ack wait is kept as well.";
    a_nak_holds_nobody_up [Store]
        "While a message that was put back waits, others are delivered.";
    in_progress_extends_the_wait [Store]
        "A message whose handler says that it is in progress is not delivered again.";
    in_progress_ends [Store]
        "A message whose handler falls silent after that is delivered again.";
    a_dropped_subscription_gives_back_the_unsettled [Store]
        "What a dropped subscription received and did not settle is delivered to another.";
    a_dropped_subscription_gives_back_the_unread_at_once [Store]
        "What a dropped subscription took ahead and did not hand over is delivered to another at once.";
    a_redelivery_is_for_its_consumer_alone [Store]
        "A message that one consumer puts back comes to that consumer and to no other.";
    max_deliver_is_kept [Store]
        "A message is delivered as often as the consumer allows, and then no more.";
    without_max_deliver_it_comes_until_settled [Store]
        "Without a limit, a message is delivered until it is settled.";
    an_exhausted_message_is_reported [Store, ReportsExhausted]
        "A message that nobody settled at its last delivery is reported when its ack wait ends.";
    a_nak_of_the_last_delivery_is_reported [Store, ReportsExhausted]
        "A message that was put back at its last delivery is reported.";
    an_exhausted_message_stays_in_the_stream [Store, StreamAdmin]
        "A message that ran out of deliveries stays in its stream.";
    backoff_replaces_the_ack_wait [Store, Backoff]
        "With a backoff, each attempt waits as long as the list says; the last wait is repeated.";
}

/// By how much a timer may be early: clocks have ticks.
const TICK: Duration = Duration::from_millis(10);

async fn short(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("short")?;
    config.ack_wait = rig.ack_wait();
    rig.subscribe(&config).await
}

fn not_before(got: &Got, since: Instant, wait: Duration) -> Outcome {
    let elapsed = got.at.duration_since(since);
    ensure!(
        elapsed + TICK >= wait,
        "attempt {} came after {elapsed:?}, due after {wait:?}",
        got.attempt()
    );
    Ok(())
}

async fn an_unsettled_message_comes_again(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    let begun = Instant::now();
    rig.publish("a", 1).await?;
    reader.expect(1).await?;
    let again = reader.expect(1).await?;
    not_before(&again, begun, rig.ack_wait())?;
    ensure_eq!(again.attempt(), 2, "the attempt");
    again.ack().await
}

async fn attempts_count_up(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    for attempt in 1..=5 {
        let got = reader.expect(1).await?;
        ensure_eq!(got.attempt(), attempt, "the attempt of the next delivery");
        match attempt {
            // It times out.
            2 => {}
            5 => got.ack().await?,
            _ => got.nak(Duration::ZERO).await?,
        }
    }
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_redelivery_is_the_same_message(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    let draft = rig
        .draft("a.b", 0)?
        .bytes(vec![0, 159, 146, 150])
        .header("Some", "header")?;
    rig.store(draft).await?;
    let first = reader.message().await?;
    first.nak(Duration::ZERO).await?;
    let second = reader.message().await?;
    let (one, two) = (&first.received, &second.received);
    let (Body::Encoded(first), Body::Encoded(second)) = (&one.body, &two.body) else {
        return Err(Failure::new("the bytes arrived as a value"));
    };
    ensure_eq!(second, first, "the body of the redelivery");
    ensure_eq!(two.subject, one.subject, "the subject of the redelivery");
    ensure_eq!(
        two.headers.get("Some"),
        one.headers.get("Some"),
        "its header"
    );
    ensure_eq!(
        two.info.sequence,
        one.info.sequence,
        "the sequence of the redelivery"
    );
    ensure_eq!(
        two.info.stream,
        one.info.stream,
        "the stream of the redelivery"
    );
    ensure_eq!(
        two.info.stored_at,
        one.info.stored_at,
        "when the redelivery was stored"
    );
    Ok(())
}

async fn a_nak_brings_it_back_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("long")?;
    config.ack_wait = rig.patience() * 10;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 1).await?;
    reader.expect(1).await?.nak(Duration::ZERO).await?;
    let again = reader.expect(1).await?;
    ensure_eq!(again.attempt(), 2, "the attempt");
    again.ack().await
}

async fn nak_delay_is_kept(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("long")?;
    config.ack_wait = rig.patience() * 10;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    let begun = Instant::now();
    got.nak(SHORT).await?;
    let again = reader.expect(1).await?;
    not_before(&again, begun, SHORT)?;
    ensure_eq!(again.attempt(), 2, "the attempt");
    again.ack().await
}

async fn nak_delay_replaces_the_ack_wait(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    let begun = Instant::now();
    let longer = rig.ack_wait() + SHORT;
    got.nak(longer).await?;
    let again = reader.expect(1).await?;
    not_before(&again, begun, longer)?;
    again.ack().await
}

async fn a_nak_holds_nobody_up(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("long")?;
    config.ack_wait = rig.patience() * 10;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..3).await?;
    reader.expect(0).await?.nak(rig.patience() * 5).await?;
    reader.expect_and_ack(1..3).await?;
    rig.publish_all("a", 3..6).await?;
    reader.expect_and_ack(3..6).await
}

async fn in_progress_extends_the_wait(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 0).await?;
    let working = reader.expect(0).await?;
    // That subscription would not hand it out again while it is handled.
    drop(reader);
    let mut other = short(&rig).await?;
    rig.publish("a", 1).await?;
    let mut beat = tokio::time::interval(rig.ack_wait() / 8);
    // Message 1 counts the ack waits that pass meanwhile.
    loop {
        let got = match select(pin!(beat.tick()), pin!(other.message())).await {
            Either::Left(_) => {
                working.in_progress().await?;
                continue;
            }
            Either::Right((got, _)) => got?,
        };
        ensure_eq!(
            got.number()?,
            1,
            "the message that came while 0 was in progress"
        );
        if got.attempt() == 3 {
            got.ack().await?;
            return working.ack().await;
        }
    }
}

async fn in_progress_ends(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    let begun = Instant::now();
    got.in_progress().await?;
    // While it is held it is not handed out again.
    drop(got);
    let again = reader.expect(1).await?;
    not_before(&again, begun, rig.ack_wait())?;
    ensure_eq!(again.attempt(), 2, "the attempt");
    again.ack().await
}

async fn a_dropped_subscription_gives_back_the_unsettled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish_all("a", 0..2).await?;
    reader.expect(0).await?;
    reader.expect(1).await?;
    drop(reader);
    let mut other = short(&rig).await?;
    let mut given_back = BTreeSet::new();
    for _ in 0..2 {
        let again = other.message().await?;
        ensure!(
            again.attempt() > 1,
            "message {} came as if for the first time",
            again.number()?
        );
        given_back.insert(again.number()?);
        again.ack().await?;
    }
    ensure_eq!(
        given_back,
        BTreeSet::from([0, 1]),
        "what came from the dropped subscription"
    );
    other.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_dropped_subscription_gives_back_the_unread_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("long")?;
    config.ack_wait = rig.patience() * 10;
    rig.publish_all("a", 0..10).await?;
    let mut reader = rig.subscribe_ahead(&config, 20).await?;
    let read = reader.expect(0).await?;
    drop(reader);
    read.ack().await?;
    let mut other = rig.subscribe_ahead(&config, 20).await?;
    let mut missing: BTreeSet<u64> = (1..10).collect();
    while !missing.is_empty() {
        let got = other.message().await.map_err(|failure| {
            Failure::new(format!(
                "{failure}; {missing:?} were taken ahead by another"
            ))
        })?;
        missing.remove(&got.number()?);
        got.ack().await?;
    }
    Ok(())
}

async fn a_redelivery_is_for_its_consumer_alone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut one = rig.subscribe(&rig.durable("one")?).await?;
    let mut two = rig.subscribe(&rig.durable("two")?).await?;
    rig.publish("a", 1).await?;
    two.expect_and_ack([1]).await?;
    for _ in 0..5 {
        one.expect(1).await?.nak(Duration::ZERO).await?;
    }
    one.expect(1).await?.ack().await?;
    two.expect_nothing_before_fence(&rig, "a").await
}

/// Reads until a fence has come twice, an ack wait after all the rest; how
/// often message 1 came.
async fn deliveries(rig: &Rig, reader: &mut Reader) -> Outcome<u32> {
    let mut delivered = 0;
    loop {
        let received = match reader.incoming().await? {
            Incoming::Message(received) => received,
            Incoming::Notice(notice) if notice.exhausted().is_some() => continue,
            Incoming::Notice(notice) => {
                return Err(Failure::new(format!(
                    "{notice:?} came; nothing was dropped"
                )));
            }
        };
        match (number(&received.body)?, received.info.attempt) {
            (1, attempt) => {
                delivered += 1;
                ensure_eq!(attempt, delivered, "the attempt of the next delivery");
                if attempt == 2 {
                    // From here on an ack wait of the fence has to pass.
                    rig.publish("a", FENCE).await?;
                }
            }
            (FENCE, 1) => {}
            (FENCE, _) => return Ok(delivered),
            (other, _) => return Err(Failure::new(format!("message {other} came"))),
        }
    }
}

/// The next item, which must report the message of this sequence.
async fn exhausted(rig: &Rig, reader: &mut Reader, sequence: u64) -> Outcome {
    let wanted = Exhausted {
        subject: Some(rig.subject("a")?),
        sequence,
        attempts: 2,
    };
    match reader.incoming().await? {
        Incoming::Notice(notice) if notice.exhausted().is_some() => {
            ensure_eq!(notice.exhausted(), Some(&wanted), "what was reported");
            Ok(())
        }
        other => Err(Failure::new(format!("{other:?} came instead of a report"))),
    }
}

async fn twice(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("twice")?;
    config.ack_wait = rig.ack_wait();
    config.max_deliver = NonZeroU32::new(2);
    rig.subscribe(&config).await
}

async fn max_deliver_is_kept(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = twice(&rig).await?;
    rig.publish("a", 1).await?;
    let delivered = deliveries(&rig, &mut reader).await?;
    ensure_eq!(
        delivered,
        2,
        "deliveries of a message that may be delivered twice"
    );
    Ok(())
}

async fn without_max_deliver_it_comes_until_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("patient")?).await?;
    rig.publish("a", 1).await?;
    for attempt in 1..=30 {
        let got = reader.expect(1).await?;
        ensure_eq!(got.attempt(), attempt, "the attempt of the next delivery");
        got.nak(Duration::ZERO).await?;
    }
    reader.expect(1).await?.ack().await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn an_exhausted_message_is_reported(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = twice(&rig).await?;
    let sequence = rig.publish("a", 1).await?;
    reader.expect(1).await?;
    reader.expect(1).await?;
    exhausted(&rig, &mut reader, sequence).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_nak_of_the_last_delivery_is_reported(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("twice")?;
    config.ack_wait = rig.patience() * 10;
    config.max_deliver = NonZeroU32::new(2);
    let mut reader = rig.subscribe(&config).await?;
    let sequence = rig.publish("a", 1).await?;
    for _ in 0..2 {
        reader.expect(1).await?.nak(Duration::ZERO).await?;
    }
    exhausted(&rig, &mut reader, sequence).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn an_exhausted_message_stays_in_the_stream(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = twice(&rig).await?;
    rig.publish("a", 1).await?;
    deliveries(&rig, &mut reader).await?;
    super::messages(&rig, 2).await?;
    let mut other = rig.subscribe(&rig.durable("other")?).await?;
    other.expect_and_ack([1, FENCE]).await
}

async fn backoff_replaces_the_ack_wait(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let (first, second) = (SHORT / 2, SHORT * 2);
    let mut config = rig.durable("backoff")?;
    config.ack_wait = first;
    config.backoff = vec![first, second];
    config.max_deliver = NonZeroU32::new(5);
    let mut reader = rig.subscribe(&config).await?;
    let begun = Instant::now();
    rig.publish("a", 1).await?;
    let (mut last, mut due) = (0, Duration::ZERO);
    while last < 4 {
        let what = format!("an attempt after attempt {last}");
        let longest = (first + second) * 2 + rig.patience();
        let got = within(longest, &what, reader.expect(1)).await??;
        ensure!(
            got.attempt() > last,
            "attempt {} came after attempt {last}",
            got.attempt()
        );
        // Who reads slowly misses attempts.
        while last < got.attempt() {
            last += 1;
            due += match last {
                1 => Duration::ZERO,
                2 => first,
                _ => second,
            };
        }
        not_before(&got, begun, due)?;
    }
    Ok(())
}

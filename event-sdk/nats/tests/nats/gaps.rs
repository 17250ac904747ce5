//! Gaps on a real server: what a stream drops before a consumer has read it.

use async_nats::Subscriber;
use event_sdk::Pattern;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{
    Capability, ConsumerConfig, DeliverPolicy, Gap, Incoming, LostCount, NoticeKind, Settlement,
    Transport,
};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::consumer_support::{PATIENCE, Reader, Rig, STREAM, body, durable, settle, subscribe};

fn exactly(from: u64, to: u64) -> Gap {
    let lost = LostCount::Exactly(to + 1 - from);
    Gap { from, to, lost }
}

fn at_most(from: u64, to: u64) -> Gap {
    let lost = LostCount::AtMost(to + 1 - from);
    Gap { from, to, lost }
}

/// A durable of one of the stream's subjects.
fn narrow(filter: &'static str) -> ConsumerConfig {
    let mut config = durable("d");
    config.filters = vec![Pattern::parse(filter).unwrap()];
    config
}

impl Rig {
    /// Changes the stream.
    pub(crate) async fn update(&self, settings: Value) {
        let mut config = json!({ "name": STREAM, "subjects": ["events.>"] });
        config
            .as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        self.api(&format!("STREAM.UPDATE.{STREAM}"), config).await;
    }

    async fn delete_message(&self, sequence: u64) {
        let request = json!({ "seq": sequence });
        self.api(&format!("STREAM.MSG.DELETE.{STREAM}"), request)
            .await;
    }

    /// Waits until so many messages are there.
    async fn keeps(&self, wanted: u64) {
        self.until("the number of messages", async |rig: &Self| {
            let info = rig.api(&format!("STREAM.INFO.{STREAM}"), json!({})).await;
            info["state"]["messages"] == wanted
        })
        .await;
    }

    /// Ends a subscription, and waits until the server brings nothing there any more.
    async fn leave(&self, reader: Reader) {
        drop(reader);
        self.until("the end of the requests", async |rig: &Self| {
            rig.consumer("d").await["num_waiting"] == 0
        })
        .await;
    }

    /// Hears of each question of this kind.
    pub(crate) async fn listen(&self, call: &str) -> Subscriber {
        let subscriber = self.admin.subscribe(format!("$JS.API.{call}")).await;
        self.admin.flush().await.unwrap();
        subscriber.unwrap()
    }
}

impl Reader {
    pub(crate) async fn gap(&mut self) -> Gap {
        match self.item().await {
            Some(Ok(Incoming::Notice(notice))) => match notice.kind() {
                NoticeKind::Gap(gap) => *gap,
                other => panic!("{other:?} came instead of a gap"),
            },
            other => panic!("{other:?} came instead of a gap"),
        }
    }

    async fn expect_gap(&mut self, wanted: Gap) {
        assert_eq!(self.gap().await, wanted);
    }
}

/// A subscription that takes one message at a time and has one, which is not settled.
pub(crate) async fn slow(rig: &Rig, nats: &Nats, config: &ConsumerConfig) -> Reader {
    let mut reader = subscribe(nats, config, 1).await;
    rig.publish([1, 2]).await;
    let first = reader.expect(1).await;
    settle(&first, Settlement::Ack).await.unwrap();
    // The second is on its way, so that nothing more is asked for.
    rig.until("two deliveries", async |rig: &Rig| {
        rig.consumer("d").await["delivered"]["consumer_seq"] == 2
    })
    .await;
    reader
}

#[tokio::test]
async fn a_running_subscription_hears_of_what_limits_drop() {
    let limits = [
        json!({ "max_msgs": 5 }),
        json!({ "max_bytes": 5 * 40 }),
        json!({ "max_msgs_per_subject": 5 }),
    ];
    for settings in limits {
        let rig = Rig::start().await;
        rig.update(settings.clone()).await;
        let nats = rig.connect().await;
        let mut reader = slow(&rig, &nats, &durable("d")).await;
        rig.publish(3..=20).await;
        let info = rig.api(&format!("STREAM.INFO.{STREAM}"), json!({})).await;
        let first = info["state"]["first_seq"].as_u64().unwrap();
        assert!(first > 10, "{settings}: {info}");
        reader.expect_and_ack([2]).await;
        reader.expect_gap(exactly(3, first - 1)).await;
        reader.expect_and_ack(first..=20).await;
    }
}

#[tokio::test]
async fn a_running_subscription_hears_of_a_purge_and_of_a_deleted_message() {
    for program in [nats::current().unwrap(), nats::oldest().unwrap()] {
        let rig = Rig::start_with(Server::options().program(program)).await;
        let nats = rig.connect().await;
        let mut reader = slow(&rig, &nats, &durable("d")).await;
        rig.publish(3..=7).await;
        rig.delete_message(4).await;
        reader.expect_and_ack([2, 3]).await;
        reader.expect_gap(exactly(4, 4)).await;
        rig.until("another delivery", async |rig: &Rig| {
            rig.consumer("d").await["delivered"]["stream_seq"] == 6
        })
        .await;
        rig.api(&format!("STREAM.PURGE.{STREAM}"), json!({})).await;
        rig.publish([8]).await;
        reader.expect_and_ack([5, 6]).await;
        reader.expect_gap(exactly(7, 7)).await;
        reader.expect_and_ack([8]).await;
    }
}

#[tokio::test]
async fn a_durable_that_was_away_hears_of_what_grew_too_old() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish(1..=2).await;
    reader.expect_and_ack(1..=2).await;
    rig.leave(reader).await;
    rig.publish(3..=6).await;
    rig.update(json!({ "max_age": 200_000_000_u64, "duplicate_window": 100_000_000_u64 }))
        .await;
    rig.keeps(0).await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    reader.expect_gap(exactly(3, 6)).await;
    rig.publish([7]).await;
    reader.expect_and_ack([7]).await;
}

#[tokio::test]
async fn where_nothing_comes_any_more_the_gap_is_told_all_the_same() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = slow(&rig, &nats, &durable("d")).await;
    rig.publish(3..=6).await;
    // Its own deletion is the last that happens to the stream.
    for sequence in 3..=6 {
        rig.delete_message(sequence).await;
    }
    reader.expect_and_ack([2]).await;
    rig.api(
        &format!("STREAM.PURGE.{STREAM}"),
        json!({ "seq": 7, "keep": 0 }),
    )
    .await;
    reader.expect_gap(exactly(3, 6)).await;
}

#[tokio::test]
async fn holes_of_several_subjects_are_told_where_a_durable_is_bound() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs_per_subject": 1 })).await;
    let nats = rig.connect().await;
    drop(subscribe(&nats, &durable("d"), 1).await);
    for (number, subject) in (1..).zip(["events.a", "events.b", "events.c", "events.b"]) {
        rig.publish_to(subject, number).await;
    }
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    reader.expect_gap(at_most(2, 2)).await;
    reader.expect_and_ack([1, 3, 4]).await;
    // A consumer that begins now has lost nothing.
    let mut reader = subscribe(&nats, &durable("e"), 10).await;
    reader.expect_and_ack([1, 3, 4]).await;
    // What goes while it runs is one.
    let second = {
        rig.publish_to("events.d", 5).await;
        reader.expect(5).await
    };
    settle(&second, Settlement::Ack).await.unwrap();
}

#[tokio::test]
async fn a_narrow_filter_hears_how_many_there_may_have_been() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 5 })).await;
    let nats = rig.connect().await;
    let mut reader = slow(&rig, &nats, &narrow("events.a")).await;
    for number in 3..=20 {
        let subject = if number % 2 == 0 {
            "events.a"
        } else {
            "events.b"
        };
        rig.publish_to(subject, number).await;
    }
    // The stream is asked in its own time, so that the gap may come between the messages.
    let (mut numbers, mut gaps) = (Vec::new(), Vec::new());
    while numbers.len() < 4 || gaps.is_empty() {
        match reader.item().await {
            Some(Ok(Incoming::Message(received))) => {
                numbers.push(body(&received));
                settle(&received, Settlement::Ack).await.unwrap();
            }
            Some(Ok(Incoming::Notice(notice))) => gaps.extend(notice.gap()),
            other => panic!("{other:?} came"),
        }
    }
    assert_eq!(numbers, [2, 16, 18, 20]);
    assert_eq!(gaps, [at_most(3, 15)]);
    rig.leave(reader).await;
    rig.publish(21..=30).await;
    let mut reader = subscribe(&nats, &narrow("events.a"), 1).await;
    reader.expect_gap(at_most(21, 25)).await;
    reader.expect_and_ack(26..=30).await;
}

#[tokio::test]
async fn a_rare_event_in_a_busy_stream_is_no_gap() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 5 })).await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &narrow("events.a"), 10).await;
    let mut asked = rig.listen(&format!("CONSUMER.INFO.{STREAM}.d")).await;
    rig.publish([1]).await;
    reader.expect_and_ack([1]).await;
    let reading = tokio::spawn(async move {
        let item = reader.item().await;
        (reader, item)
    });
    // When nothing comes it looks once, and is sure from then on.
    tokio::time::timeout(PATIENCE, asked.next()).await.unwrap();
    rig.consumer("d").await;
    for number in 2..=30 {
        rig.publish_to("events.b", number).await;
    }
    rig.publish([31]).await;
    let (mut reader, item) = reading.await.unwrap();
    let Some(Ok(Incoming::Message(rare))) = item else {
        panic!("{item:?} came instead of a message");
    };
    assert_eq!(body(&rare), 31);
    settle(&rare, Settlement::Ack).await.unwrap();
    rig.publish([32]).await;
    reader.expect_and_ack([32]).await;
}

#[tokio::test]
async fn nothing_is_asked_for_each_message() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut asked = rig.listen(&format!("STREAM.INFO.{STREAM}")).await;
    let begun = std::time::Instant::now();
    let mut reader = subscribe(&nats, &narrow("events.a"), 100).await;
    for number in 1..=2000 {
        let subject = if number % 2 == 0 {
            "events.a"
        } else {
            "events.b"
        };
        rig.publish_to(subject, number).await;
        if number % 2 == 0 {
            reader.expect_and_ack([number]).await;
        }
    }
    rig.admin.flush().await.unwrap();
    let mut questions = 0;
    while futures_util::future::poll_immediate(asked.next())
        .await
        .flatten()
        .is_some()
    {
        questions += 1;
    }
    // At the beginning, and once a second at the most.
    let most = 2 + begun.elapsed().as_secs();
    assert!((1..=most).contains(&questions), "{questions} of {most}");
}

#[tokio::test]
async fn where_nothing_may_be_asked_a_filter_of_everything_tells() {
    let rig = Rig::start().await;
    rig.api(
        &format!("STREAM.UPDATE.{STREAM}"),
        json!({ "name": STREAM, "subjects": ["events.>"], "max_msgs": 5 }),
    )
    .await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.filters = vec![Pattern::everything()];
    drop(subscribe(&nats, &config, 1).await);
    let quiet = rig
        .connect_with(|options| options.management(Management::Never))
        .await;
    assert!(!quiet.capabilities().has(Capability::ReportsGaps));
    assert!(nats.capabilities().has(Capability::ReportsGaps));
    let mut asked = rig.listen("STREAM.INFO.>").await;
    let mut reader = slow(&rig, &quiet, &config).await;
    rig.publish(3..=20).await;
    reader.expect_and_ack([2]).await;
    reader.expect_gap(at_most(3, 15)).await;
    reader.expect_and_ack(16..=20).await;
    let none = futures_util::future::poll_immediate(asked.next()).await;
    assert!(none.is_none(), "{none:?}");
}

#[tokio::test]
async fn what_waits_behind_a_gap_is_put_back_by_a_drain() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 5 })).await;
    let nats = rig.connect().await;
    let mut reader = slow(&rig, &nats, &durable("d")).await;
    rig.publish(3..=20).await;
    reader.expect_and_ack([2]).await;
    reader.expect_gap(exactly(3, 15)).await;
    let begun = std::time::Instant::now();
    let drained = nats.drain(PATIENCE).await.unwrap();
    assert!(drained.given_back > 0, "{drained:?}");
    assert!(begun.elapsed() < PATIENCE / 2, "it was waited for");
    assert!(reader.0.next().await.is_none(), "after a drain");
    // Long before the ack wait.
    let mut reader = subscribe(&rig.connect().await, &durable("d"), 1).await;
    let mut numbers = Vec::new();
    while numbers.len() < 5 {
        let received = reader.next().await;
        numbers.push(body(&received));
        settle(&received, Settlement::Ack).await.unwrap();
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [16, 17, 18, 19, 20]);
}

#[tokio::test]
async fn a_start_at_a_sequence_that_is_gone_is_a_gap() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 5 })).await;
    rig.publish(1..=20).await;
    let nats = rig.connect().await;
    for (deliver, wanted) in [
        (DeliverPolicy::ByStartSequence(10), Some(exactly(10, 15))),
        (DeliverPolicy::All, None),
        (DeliverPolicy::LastPerSubject, None),
        (DeliverPolicy::Last, None),
    ] {
        let mut config = durable("d");
        config.deliver = deliver;
        let mut reader = subscribe(&nats, &config, 1).await;
        if let Some(wanted) = wanted {
            reader.expect_gap(wanted).await;
        }
        let first = reader.next().await;
        assert!(first.info.sequence >= Some(16), "{deliver:?}");
        rig.api(&format!("CONSUMER.DELETE.{STREAM}.d"), json!({}))
            .await;
    }
}

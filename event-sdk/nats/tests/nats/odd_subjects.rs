//! Messages that another client has published to subjects that no event can have.

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    AckPolicy, Body, ConsumerConfig, ConsumerName, DeliverPolicy, ErrorKind, HistoryRequest,
    Incoming, NoticeKind, Order, Transport, TransportExt as _,
};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;

use crate::consumer_support::{PATIENCE, Reader, Rig, STREAM, config, durable, subscribe};
use crate::support::pattern;

/// Subjects that a server stores and no event can have.
fn odd() -> [String; 4] {
    [
        "events.a\u{1}b".to_owned(),
        "events.a*b".to_owned(),
        "events.a>b".to_owned(),
        format!("events.{}", "a".repeat(3000)),
    ]
}

impl Rig {
    /// Publishes without a client that checks subjects; the server has taken all of it when
    /// this returns.
    async fn publish_raw(&self, subjects: &[String]) {
        let mut commands = String::new();
        for subject in subjects {
            commands.extend(["PUB ", subject, " 1\r\n9\r\n"]);
        }
        self.send_raw(commands.as_bytes()).await;
    }

    /// A message, those that cannot be read, and another message.
    async fn store_odd_ones(&self) {
        self.publish([1]).await;
        self.publish_raw(&odd()).await;
        self.publish([6]).await;
    }
}

async fn expect_unreadable(reader: &mut Reader, wanted: u64) {
    let Some(Ok(Incoming::Notice(notice))) = reader.item().await else {
        panic!("no notice came of sequence {wanted}");
    };
    let NoticeKind::Unreadable { sequence, error } = notice.kind() else {
        panic!("{notice:?} came of sequence {wanted}");
    };
    assert_eq!(*sequence, Some(wanted));
    assert_eq!(*error.kind(), ErrorKind::InvalidSubject);
}

async fn read_between(reader: &mut Reader) {
    reader.expect_and_ack([1]).await;
    for sequence in 2..=5 {
        expect_unreadable(reader, sequence).await;
    }
    reader.expect_and_ack([6]).await;
}

#[tokio::test]
async fn they_are_terminated_and_told_once_by_a_durable() {
    let rig = Rig::start().await;
    let mut terminated = rig
        .admin
        .subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>")
        .await
        .unwrap();
    let nats = rig.connect().await;
    let mut config = durable("d");
    // Each that is not settled would take the place of another.
    config.max_ack_pending = crate::consumer_support::times(2);
    rig.store_odd_ones().await;
    let mut reader = subscribe(&nats, &config, 2).await;
    read_between(&mut reader).await;
    for sequence in 2..=5 {
        let advisory = tokio::time::timeout(PATIENCE, terminated.next()).await;
        let advisory: Value = serde_json::from_slice(&advisory.unwrap().unwrap().payload).unwrap();
        assert_eq!(advisory["stream_seq"], sequence, "{advisory}");
        let reason = advisory["reason"].as_str().unwrap();
        assert!(reason.starts_with("its subject cannot be read"), "{reason}");
        assert!(!reason.contains('\u{1}'), "{reason:?}");
    }
    rig.until("the settlement of all", async |rig: &Rig| {
        let info = rig.consumer("d").await;
        info["num_ack_pending"] == 0 && info["ack_floor"]["stream_seq"] == 6
    })
    .await;
    assert!(reader.ready().await.is_none());
}

#[tokio::test]
async fn their_neighbours_come_to_every_consumer() {
    let rig = Rig::start().await;
    rig.store_odd_ones().await;
    let nats = rig.connect().await;
    let mut unacknowledged = config(ConsumerName::Ephemeral);
    unacknowledged.ack = AckPolicy::None;
    read_between(&mut subscribe(&nats, &config(ConsumerName::Ephemeral), 10).await).await;
    let mut reader = subscribe(&nats, &unacknowledged, 10).await;
    reader.expect(1).await;
    for sequence in 2..=5 {
        expect_unreadable(&mut reader, sequence).await;
    }
    reader.expect(6).await;
}

#[tokio::test]
async fn history_passes_over_them() {
    for program in [nats::current().unwrap(), nats::oldest().unwrap()] {
        for direct in [true, false] {
            let rig = Rig::start_with(Server::options().program(program.clone())).await;
            let settings = serde_json::json!({
                "name": STREAM, "subjects": ["events.>"], "allow_direct": direct,
            });
            rig.api(&format!("STREAM.UPDATE.{STREAM}"), settings).await;
            rig.store_odd_ones().await;
            let nats = rig.connect().await;
            for (order, wanted) in [(Order::OldestFirst, [1, 6]), (Order::NewestFirst, [6, 1])] {
                assert_eq!(history(&nats, order, None).await, wanted);
                assert_eq!(history(&nats, order, Some(2)).await, wanted, "limited");
            }
        }
    }
}

async fn history(nats: &Nats, order: Order, limit: Option<usize>) -> Vec<u64> {
    let mut request = HistoryRequest::new(STREAM, vec![pattern("events.>")]);
    request.order = order;
    request.limit = limit;
    let reading = async {
        let history = nats.read_history(request).await.unwrap();
        history.try_collect::<Vec<_>>().await.unwrap()
    };
    let messages = tokio::time::timeout(PATIENCE, reading).await.unwrap();
    messages.iter().map(|message| message.sequence).collect()
}

#[tokio::test]
async fn a_subscription_without_a_stream_leaves_them_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut plain = ConsumerConfig::new(ConsumerName::Ephemeral, vec![pattern("plain.>")]);
    plain.ack = AckPolicy::None;
    plain.deliver = DeliverPolicy::New;
    let mut request = event_sdk::transport::SubscribeRequest::new("", plain);
    request.prefetch = 10.into();
    let mut messages = nats.core().subscribe(request).await.unwrap();
    let mut subjects = vec!["plain.first".to_owned()];
    subjects.extend(odd().map(|subject| subject.replace("events.", "plain.")));
    subjects.push("plain.last".to_owned());
    rig.publish_raw(&subjects).await;
    for wanted in ["plain.first", "plain.last"] {
        let item = tokio::time::timeout(PATIENCE, messages.next()).await;
        let Some(Ok(Incoming::Message(received))) = item.unwrap() else {
            panic!("{wanted} did not come");
        };
        assert_eq!(received.subject.as_str(), wanted);
        assert!(matches!(received.body, Body::Encoded(_)));
    }
}

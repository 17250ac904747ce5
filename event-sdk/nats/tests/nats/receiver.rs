//! The connection for deliveries: that it is lost alone, and what a broken server says on it.

use std::time::{Duration, Instant};

use event_sdk::transport::nats::{ConnectionState, DisconnectReason, Nats, NatsOptions};
use event_sdk::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, Incoming, NoticeKind, Settlement, Transport as _,
};
use event_sdk_test_servers::{Cluster, Operator, Options, Server};
use futures_util::StreamExt as _;

use crate::consumer_support::{PATIENCE, Reader, Rig, body, config, durable, settle, subscribe};
use crate::proxy::Proxy;
use crate::support::{apply, draft, publish, receives, stream};

/// The connections of a transport that consumes, in the order in which they are made.
const MAIN: usize = 0;
const DELIVERIES: usize = 1;

type Say = Box<dyn FnOnce(NatsOptions) -> NatsOptions>;

struct Relayed {
    rig: Rig,
    proxy: Proxy,
    nats: Nats,
}

impl Relayed {
    async fn start() -> Self {
        Self::start_with(|options| options).await
    }

    async fn start_with(say: impl FnOnce(NatsOptions) -> NatsOptions) -> Self {
        let rig = Rig::start().await;
        let proxy = Proxy::to(rig.server.port()).await;
        let options = Nats::options(proxy.url()).only_given_servers();
        let nats = Nats::connect(say(options)).await.unwrap();
        Self { rig, proxy, nats }
    }

    /// Waits until the server has no connections but those of the test and two of ours: what is
    /// delivered to one that is lost comes again after its ack wait only.
    async fn until_the_old_one_is_gone(&self) {
        let gone = async |rig: &Rig| {
            let connections = rig.server.monitor("/connz").await.unwrap();
            connections["num_connections"] == 3
        };
        self.rig.until("the end of the lost one", gone).await;
    }

    async fn until_connections(&self, wanted: usize) {
        let begun = Instant::now();
        while self.proxy.connections() < wanted {
            assert!(begun.elapsed() < PATIENCE, "no connection {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A durable of which a delivery that was lost comes again soon.
fn soon_again() -> ConsumerConfig {
    let mut config = durable("d");
    config.ack_wait = Duration::from_secs(1);
    config
}

/// The next item, which has to say that the connection was made again.
async fn expect_reconnected(reader: &mut Reader) {
    let item = tokio::time::timeout(PATIENCE, reader.0.next()).await;
    match item.expect("nothing came") {
        Some(Ok(Incoming::Notice(notice))) if matches!(notice.kind(), NoticeKind::Reconnected) => {}
        other => panic!("{other:?} came"),
    }
}

#[tokio::test]
async fn it_is_opened_by_the_first_subscription_and_shared() {
    let relayed = Relayed::start().await;
    assert_eq!(relayed.proxy.connections(), 1);
    let mut first = subscribe(&relayed.nats, &durable("a"), 10).await;
    let mut second = subscribe(&relayed.nats, &durable("b"), 10).await;
    relayed.rig.publish([1, 2]).await;
    first.expect_and_ack([1, 2]).await;
    second.expect_and_ack([1, 2]).await;
    assert_eq!(relayed.proxy.connections(), 2);
    let connections = relayed.rig.server.monitor("/connz").await.unwrap();
    let names: Vec<_> = connections["connections"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|connection| connection["name"].as_str())
        .collect();
    assert!(names.contains(&"event-sdk-deliveries"), "{names:?}");
}

#[tokio::test]
async fn its_name_tells_it_from_the_other() {
    let relayed = Relayed::start_with(|options| options.name("billing")).await;
    let _reader = subscribe(&relayed.nats, &durable("a"), 10).await;
    let connections = relayed.rig.server.monitor("/connz").await.unwrap();
    let text = connections.to_string();
    assert!(text.contains("\"name\":\"billing\""), "{text}");
    assert!(text.contains("\"name\":\"billing-deliveries\""), "{text}");
}

#[tokio::test]
async fn it_is_made_again_when_it_alone_is_lost() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &durable("d"), 10).await;
    relayed.rig.publish([1]).await;
    let held = reader.expect(1).await;
    let mut watch = relayed.nats.connection();
    relayed.proxy.cut(DELIVERIES);
    let lost = tokio::time::timeout(PATIENCE, watch.changed())
        .await
        .unwrap();
    let reason = DisconnectReason::Lost;
    assert_eq!(lost, ConnectionState::Disconnected { reason });
    expect_reconnected(&mut reader).await;
    relayed.until_the_old_one_is_gone().await;
    relayed.rig.publish([2]).await;
    reader.expect_and_ack([2]).await;
    // What was handed out before is settled on the new connection.
    settle(&held, Settlement::Ack).await.unwrap();
    let settled = async |rig: &Rig| rig.consumer("d").await["num_ack_pending"] == 0;
    relayed.rig.until("both acks", settled).await;
    assert_eq!(
        relayed.nats.connection().current(),
        ConnectionState::Connected
    );
    assert_eq!(relayed.proxy.connections(), 3);
}

#[tokio::test]
async fn it_is_made_again_when_nothing_comes_through() {
    let relayed =
        Relayed::start_with(|options| options.ping_interval(Duration::from_millis(200))).await;
    let mut reader = subscribe(&relayed.nats, &soon_again(), 10).await;
    relayed.rig.publish([1]).await;
    reader.expect_and_ack([1]).await;
    // Or the acknowledgement is on its way, and the event comes again.
    let settled = async |rig: &Rig| rig.consumer("d").await["num_ack_pending"] == 0;
    relayed.rig.until("the ack", settled).await;
    relayed.proxy.freeze(DELIVERIES);
    expect_reconnected(&mut reader).await;
    relayed.rig.publish([2]).await;
    reader.expect_and_ack([2]).await;
}

#[tokio::test]
async fn what_is_not_settled_goes_on_behind_a_lost_connection() {
    let relayed = Relayed::start().await;
    let mut settings = config(ConsumerName::Ephemeral);
    settings.ack = AckPolicy::None;
    let mut reader = subscribe(&relayed.nats, &settings, 10).await;
    relayed.rig.publish([1]).await;
    reader.expect(1).await;
    relayed.proxy.cut(DELIVERIES);
    relayed.rig.publish([2, 3]).await;
    reader.expect(2).await;
    reader.expect(3).await;
}

#[tokio::test]
async fn an_ack_is_written_though_further_messages_are_at_hand() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &durable("d"), 10).await;
    // All of them come with one request.
    relayed.rig.publish(1..=5).await;
    reader.expect_and_ack([1]).await;
    // Nothing is read and nothing else is settled meanwhile.
    let acked = async |rig: &Rig| rig.consumer("d").await["ack_floor"]["stream_seq"] == 1;
    relayed.rig.until("the ack", acked).await;
    reader.expect_and_ack([2, 3, 4, 5]).await;
}

#[tokio::test]
async fn an_ack_without_a_connection_is_sent_on_the_next() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &durable("d"), 10).await;
    relayed.rig.publish([1]).await;
    let held = reader.expect(1).await;
    relayed.proxy.greet(Some(b""));
    relayed.proxy.cut(DELIVERIES);
    relayed.until_connections(4).await;
    settle(&held, Settlement::Ack).await.unwrap();
    relayed.proxy.greet(None);
    let settled = async |rig: &Rig| rig.consumer("d").await["num_ack_pending"] == 0;
    relayed.rig.until("the ack", settled).await;
}

#[tokio::test]
async fn subscriptions_outlive_the_loss_of_the_other_connection() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &durable("d"), 10).await;
    relayed.proxy.cut(MAIN);
    relayed.rig.publish([1]).await;
    reader.expect_and_ack([1]).await;
}

#[tokio::test]
async fn what_no_server_says_ends_the_connection_and_not_the_subscription() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &soon_again(), 10).await;
    let endless = vec![b'x'; 2 * 1024 * 1024];
    let said: [&[u8]; 5] = [
        b"NONSENSE\r\n",
        b"MSG a 1 99999999999999\r\n",
        b"INFO {\"max_payload\":-1}\r\n",
        b"HMSG a b c d e f\r\n",
        &endless,
    ];
    for (said, number) in said.iter().zip(1..) {
        let connections = relayed.proxy.connections();
        relayed.proxy.say(connections - 1, said);
        relayed.until_connections(connections + 1).await;
        relayed.until_the_old_one_is_gone().await;
        relayed.rig.publish([number]).await;
        reader.expect_and_ack([number]).await;
    }
}

#[tokio::test]
async fn a_server_that_ends_each_connection_is_not_asked_all_the_time() {
    const INFO: &[u8] = b"INFO {\"server_id\":\"x\",\"max_payload\":1048576}\r\nPONG\r\n";
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &soon_again(), 10).await;
    for greeting in [INFO, b"INFO nonsense\r\n", b""] {
        // It succeeds and ends at once, or is no server at all.
        relayed.proxy.greet(Some(greeting));
        let before = relayed.proxy.connections();
        relayed.proxy.cut(before - 1);
        let begun = Instant::now();
        relayed.until_connections(before + 4).await;
        // Pauses of at least 50, 100 and 200 ms are between them, and grow.
        assert!(
            begun.elapsed() >= Duration::from_millis(150),
            "{:?}",
            begun.elapsed()
        );
        relayed.proxy.greet(None);
        relayed.rig.publish([1]).await;
        reader.expect_and_ack([1]).await;
    }
}

#[tokio::test]
async fn it_is_closed_with_the_transport_after_what_was_given_back() {
    let relayed = Relayed::start().await;
    let mut reader = subscribe(&relayed.nats, &durable("d"), 10).await;
    relayed.rig.publish([1, 2, 3]).await;
    let held = reader.expect(1).await;
    let drained = relayed
        .nats
        .drain(Duration::from_millis(100))
        .await
        .unwrap();
    assert_eq!(drained.given_back, 3);
    drop(held);
    let gone = async |rig: &Rig| {
        let connections = rig.server.monitor("/connz").await.unwrap();
        // That of the test itself.
        connections["num_connections"] == 1
    };
    relayed.rig.until("the end of both connections", gone).await;
    let nats = relayed.rig.connect().await;
    let mut next = subscribe(&nats, &durable("d"), 10).await;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(body(&next.next().await));
    }
    bodies.sort_unstable();
    assert_eq!(bodies, [1, 2, 3]);
}

#[tokio::test]
async fn it_shows_the_same_credentials() {
    let key = nkeys::KeyPair::new_user();
    let operator = Operator::new().unwrap();
    let nkey_users = format!(
        "authorization {{ users: [ {{ nkey: {} }} ] }}",
        key.public_key()
    );
    let user = "authorization { user: \"me\", password: \"correct-horse\" }";
    let token = "authorization { token: \"the token\" }";
    let text = operator.credentials("me").text().unwrap();
    let cases: [(Options, Say); 4] = [
        (
            Server::options().config(user),
            Box::new(|options| options.user("me", "correct-horse")),
        ),
        (
            Server::options().config(token),
            Box::new(|options| options.token("the token")),
        ),
        (
            Server::options().config(&nkey_users),
            Box::new(move |options| options.nkey(key.seed().unwrap())),
        ),
        (
            Server::options().operator(&operator),
            Box::new(move |options| options.credentials(text)),
        ),
    ];
    for (server, say) in cases {
        let server = server.start().await.unwrap();
        let nats = Nats::connect(say(Nats::options(server.url())))
            .await
            .unwrap();
        apply(&nats, &stream("S", "s.>", |stream| stream)).await;
        publish(&nats, draft("s.a")).await.unwrap();
        receives(&nats).await;
    }
}

#[tokio::test]
async fn it_moves_before_a_server_of_a_cluster_stops() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let options = Nats::options(cluster.url()).request_timeout(PATIENCE);
    let nats = Nats::connect(options).await.unwrap();
    apply(
        &nats,
        &stream("EVENTS", "events.>", |stream| stream.replicas(3)),
    )
    .await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    let mut with_deliveries = None;
    for (index, server) in cluster.servers().iter().enumerate() {
        let connections = server.monitor("/connz").await.unwrap().to_string();
        if connections.contains("event-sdk-deliveries") {
            with_deliveries = Some(index);
        }
    }
    let index = with_deliveries.expect("no server has the connection");
    cluster.server(index).lame_duck().await.unwrap();
    expect_reconnected(&mut reader).await;
    publish(&nats, draft("events.a").body("1")).await.unwrap();
    reader.expect_and_ack([1]).await;
}

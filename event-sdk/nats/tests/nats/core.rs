//! Core NATS without streams.

use std::time::Duration;

use event_sdk::transport::nats::{CoreNats, Nats};
use event_sdk::transport::{
    AckPolicy, Body, Capability, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind,
    Expectations, Incoming, NoticeKind, Outcome, Received, SubscribeRequest, Subscription,
    Transport,
};
use event_sdk::{Event, EventBus};
use event_sdk_test_servers::Server;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::support::{begin, draft, eventually, pattern, publish, refused, send, within};
use event_sdk::transport::TransportExt as _;

async fn start() -> (CoreNats, Server) {
    let server = Server::options().without_jetstream().start().await.unwrap();
    let core = CoreNats::connect(Nats::options(server.url()))
        .await
        .unwrap();
    (core, server)
}

fn request(name: ConsumerName, filters: &[&str]) -> SubscribeRequest {
    let filters = filters.iter().map(|text| pattern(text)).collect();
    let mut config = ConsumerConfig::new(name, filters);
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    SubscribeRequest::new("", config)
}

async fn subscribe(core: &CoreNats, request: SubscribeRequest) -> Subscription {
    within(core.subscribe(request)).await.unwrap()
}

async fn next(subscription: &mut Subscription) -> Result<Received, Error> {
    loop {
        match within(subscription.next()).await.unwrap()? {
            Incoming::Message(received) => return Ok(received),
            Incoming::Notice(notice) if matches!(notice.kind(), NoticeKind::Reconnected) => {}
            Incoming::Notice(notice) => panic!("{notice:?}"),
        }
    }
}

fn text(received: &Received) -> String {
    let Body::Encoded(body) = &received.body else {
        panic!("{received:?}");
    };
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn what_is_published_reaches_who_listens() {
    let (core, server) = start().await;
    let other = CoreNats::connect(Nats::options(server.url()))
        .await
        .unwrap();
    let mut subscription = subscribe(&core, request(ConsumerName::Ephemeral, &["a.*", "b"])).await;
    for (number, subject) in ["a.1", "c", "b", "a.2"].into_iter().enumerate() {
        let message = draft(subject)
            .body(number.to_string())
            .header("Some", "Zürich")
            .header("Empty", "");
        let stored = publish(&other, message).await.unwrap();
        assert_eq!(
            (stored.stream, stored.sequence, stored.duplicate),
            (None, None, false)
        );
    }
    let mut found = Vec::new();
    for _ in 0..3 {
        let received = next(&mut subscription).await.unwrap();
        assert_eq!(received.headers.get("Some"), Some("Zürich"));
        assert_eq!(received.headers.get("Empty"), Some(""));
        assert!(received.settler.is_none());
        assert_eq!((received.info.attempt, received.info.sequence), (1, None));
        found.push((received.subject.to_string(), text(&received)));
    }
    found.sort();
    let wanted = [("a.1", "0"), ("a.2", "3"), ("b", "2")];
    assert_eq!(
        found,
        wanted.map(|(subject, body)| (subject.to_owned(), body.to_owned()))
    );
}

#[tokio::test]
async fn a_group_shares_its_messages() {
    let (core, _server) = start().await;
    let group = || request(ConsumerName::Group("g".into()), &["a"]);
    let (mut one, mut two) = (
        subscribe(&core, group()).await,
        subscribe(&core, group()).await,
    );
    for number in 0..100 {
        publish(&core, draft("a").body(number.to_string()))
            .await
            .unwrap();
    }
    let (mut numbers, mut of_two) = (Vec::new(), 0);
    while numbers.len() < 100 {
        let received = tokio::select! {
            received = next(&mut one) => received.unwrap(),
            received = next(&mut two) => {
                of_two += 1;
                received.unwrap()
            }
        };
        numbers.push(text(&received).parse::<u64>().unwrap());
    }
    numbers.sort_unstable();
    assert!(
        numbers.into_iter().eq(0..100),
        "a message came twice or not at all"
    );
    assert!((1..100).contains(&of_two), "one of two got {of_two} of 100");
}

#[tokio::test]
async fn what_needs_a_stream_is_unsupported() {
    let (core, _server) = start().await;
    let unsupported = |error: Error, capability| {
        assert_eq!(*error.kind(), ErrorKind::Unsupported(capability), "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone);
    };
    unsupported(
        refused(&core, draft("a").id("id")).await,
        Capability::Deduplication,
    );
    let expecting = |say: fn(&mut Expectations)| refused(&core, draft("a").expect(say));
    unsupported(
        expecting(|e| e.last_sequence = Some(0)).await,
        Capability::ExpectStream,
    );
    unsupported(
        expecting(|e| e.last_subject_sequence = Some(0)).await,
        Capability::ExpectSubject,
    );
    let durable = request(ConsumerName::Durable("d".into()), &["a"]);
    let mut acked = request(ConsumerName::Ephemeral, &["a"]);
    acked.config.ack = AckPolicy::Explicit;
    let mut from_start = request(ConsumerName::Ephemeral, &["a"]);
    from_start.config.deliver = DeliverPolicy::All;
    for request in [durable, acked, from_start] {
        let error = within(core.subscribe(request)).await.err().unwrap();
        unsupported(error, Capability::Store);
    }
    unsupported(
        within(core.stream_state("S")).await.unwrap_err(),
        Capability::StreamAdmin,
    );
}

#[tokio::test]
async fn a_denied_permission_is_an_error_of_the_subscription() {
    let users = r#"authorization { users: [
        { user: me, password: pw, permissions: { subscribe: { deny: "secret.>" } } }
    ] }"#;
    let server = Server::options().config(users).start().await.unwrap();
    let options = Nats::options(server.url()).user("me", "pw");
    let core = CoreNats::connect(options).await.unwrap();
    let denied = request(ConsumerName::Ephemeral, &["secret.a"]);
    let error = match within(core.subscribe(denied)).await {
        Ok(mut subscription) => next(&mut subscription).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(error.subject(), Some("secret.a"));
    let mut allowed = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
    publish(&core, draft("a")).await.unwrap();
    next(&mut allowed).await.unwrap();
}

#[tokio::test]
async fn it_goes_on_after_the_server_was_restarted() {
    let (core, mut server) = start().await;
    let mut subscription = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
    server.restart().await.unwrap();
    eventually("a message after the restart", async || {
        publish(&core, draft("a")).await.unwrap();
        let next = tokio::time::timeout(Duration::from_millis(100), next(&mut subscription));
        next.await.ok().map(Result::unwrap)
    })
    .await;
}

#[tokio::test]
async fn closing_and_draining_end_it() {
    for drain in [false, true] {
        let (core, _server) = start().await;
        let mut subscription = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
        for _ in 0..10 {
            drop(send(&core, draft("a")).await.unwrap());
        }
        next(&mut subscription).await.unwrap();
        if drain {
            let drained = within(core.drain(Duration::from_secs(5))).await.unwrap();
            assert_eq!((drained.settled, drained.given_back), (0, 0));
        } else {
            within(core.close()).await.unwrap();
        }
        assert!(within(subscription.next()).await.is_none());
        let error = refused(&core, draft("a")).await;
        assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
        let error = within(core.subscribe(request(ConsumerName::Ephemeral, &["a"]))).await;
        assert_eq!(*error.err().unwrap().kind(), ErrorKind::Closed);
    }
}

#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "weather")]
struct WindMeasured {
    knots: u32,
}

#[tokio::test]
async fn a_bus_runs_over_it() {
    let (core, _server) = start().await;
    let bus = EventBus::builder().transport(core).unwrap();
    let mut subscriber = bus
        .subscribe::<WindMeasured>()
        .ack_policy(AckPolicy::None)
        .deliver(DeliverPolicy::New)
        .await
        .unwrap();
    let published = bus
        .publisher()
        .publish(WindMeasured { knots: 12 })
        .await
        .unwrap();
    assert_eq!(published.sequence(), None);
    let delivery = within(subscriber.next()).await.unwrap().unwrap();
    assert_eq!(delivery.decode().unwrap(), WindMeasured { knots: 12 });
}

#[tokio::test]
async fn what_came_faster_than_it_was_read_is_told() {
    let (core, server) = start().await;
    let other = CoreNats::connect(Nats::options(server.url()))
        .await
        .unwrap();
    let mut slow = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
    let mut quick = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
    // More than the 64 MiB that a subscription holds; again, should the messages have been
    // read here before they were taken from the connection.
    let mut dropped = 0;
    let mut rounds = 0;
    while dropped == 0 {
        rounds += 1;
        assert!(rounds < 10, "nothing was dropped in {rounds} rounds");
        for number in 0..80 {
            let body = format!("{number:08}").repeat(125_000);
            publish(&other, draft("a").body(body.clone()))
                .await
                .unwrap();
            assert_eq!(text(&next(&mut quick).await.unwrap()), body);
        }
        let mut read = 0;
        while read + dropped < 80 {
            match within(slow.next()).await.unwrap().unwrap() {
                Incoming::Message(_) => read += 1,
                Incoming::Notice(notice) => {
                    let NoticeKind::Dropped { messages } = *notice.kind() else {
                        panic!("{notice}");
                    };
                    let said = format!("{messages} were dropped");
                    assert!(notice.to_string().contains(&said), "{notice}");
                    dropped += messages;
                }
            }
        }
        assert_eq!(read + dropped, 80);
    }
    // It goes on.
    publish(&other, draft("a").body("after")).await.unwrap();
    assert_eq!(text(&next(&mut slow).await.unwrap()), "after");
}

#[tokio::test]
async fn who_has_left_a_group_gets_nothing_that_is_published_after_that() {
    let (core, _server) = start().await;
    let group = || request(ConsumerName::Group("g".into()), &["a"]);
    let mut stays = subscribe(&core, group()).await;
    for round in 0..20 {
        let leaves = subscribe(&core, group()).await;
        drop(leaves);
        for number in 0..5 {
            let body = format!("{round}.{number}");
            publish(&core, draft("a").body(body.clone())).await.unwrap();
            assert_eq!(text(&next(&mut stays).await.unwrap()), body);
        }
    }
}

#[tokio::test]
async fn what_is_published_after_a_departure_is_sent_in_order_also_if_nobody_waits() {
    let (core, _server) = start().await;
    let mut hears = subscribe(&core, request(ConsumerName::Ephemeral, &["a"])).await;
    for round in 0..5 {
        let leaves = subscribe(&core, request(ConsumerName::Group("g".into()), &["a"])).await;
        // Nothing is awaited between: the server cannot know of it when the first is published.
        drop(leaves);
        let bodies = ["first", "second", "third"].map(|name| format!("{round} {name}"));
        let [first, second, third] = bodies
            .each_ref()
            .map(|body| begin(&core, draft("a").body(body.clone())));
        drop(first);
        let (third, second) = (within(third).await, within(second).await);
        third.unwrap();
        second.unwrap();
        for body in bodies {
            assert_eq!(text(&next(&mut hears).await.unwrap()), body);
        }
    }
}

#[tokio::test]
async fn a_drain_sends_what_waits_for_a_departure() {
    let (core, server) = start().await;
    let other = CoreNats::connect(Nats::options(server.url()))
        .await
        .unwrap();
    let mut hears = subscribe(&other, request(ConsumerName::Ephemeral, &["a"])).await;
    let leaves = subscribe(&core, request(ConsumerName::Group("g".into()), &["a"])).await;
    drop(leaves);
    drop(begin(&core, draft("a").body("waits")));
    within(core.drain(Duration::from_secs(10))).await.unwrap();
    assert_eq!(text(&next(&mut hears).await.unwrap()), "waits");
}

#[tokio::test]
async fn a_subscription_beyond_the_limit_of_the_server_is_refused_and_the_others_go_on() {
    let server = Server::options().config("max_subscriptions: 2").start();
    let server = server.await.unwrap();
    let core = CoreNats::connect(Nats::options(server.url()))
        .await
        .unwrap();
    let ephemeral = || request(ConsumerName::Ephemeral, &["a"]);
    let mut first = subscribe(&core, ephemeral()).await;
    let second = subscribe(&core, ephemeral()).await;
    let error = within(core.subscribe(ephemeral())).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(error.subject(), Some("a"));
    assert!(error.to_string().contains("max_subscriptions"), "{error}");
    publish(&core, draft("a")).await.unwrap();
    next(&mut first).await.unwrap();
    drop(second);
    subscribe(&core, ephemeral()).await;
}

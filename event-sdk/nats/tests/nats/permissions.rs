//! Missing permissions are reported at once, with the denied subject.

use std::time::Duration;

use event_sdk::transport::nats::{Management, Nats, NatsOptions};
use event_sdk::transport::{
    Capability, ConsumerConfig, ConsumerName, Error, ErrorKind, Outcome, SubscribeRequest,
    Transport as _,
};
use event_sdk_test_servers::Server;
use futures_util::StreamExt as _;
use futures_util::future::join_all;

use crate::support::{apply, draft, pattern, publish, refused, send, state, stream, within};
use event_sdk::transport::TransportExt as _;

/// A server with a stream `S`, and a user beside the one who may do everything.
async fn start(permissions: &str) -> Server {
    let users = format!(
        r"authorization {{ users: [
            {{ user: all, password: pw }},
            {{ user: me, password: pw, permissions: {{ {permissions} }} }}
        ] }}"
    );
    let server = Server::options().config(&users).start().await.unwrap();
    let nats = connect(&server, |options| options.user("all", "pw")).await;
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server
}

/// Longer than any test waits: what is answered was not answered by a timeout.
const NEVER: Duration = Duration::from_secs(600);

async fn connect(server: &Server, say: impl FnOnce(NatsOptions) -> NatsOptions) -> Nats {
    let options = Nats::options(server.url()).user("me", "pw");
    let options = say(options.ack_timeout(NEVER).request_timeout(NEVER));
    within(Nats::connect(options)).await.unwrap()
}

fn denied(error: &Error, subject: &str) {
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.subject(), Some(subject));
}

#[tokio::test]
async fn a_subject_that_may_not_be_published_to_is_denied_at_once() {
    let server = start(r#"publish: { deny: "s.secret.>" }"#).await;
    let nats = connect(&server, |options| options).await;
    denied(&refused(&nats, draft("s.secret.a")).await, "s.secret.a");
    publish(&nats, draft("s.a")).await.unwrap();
}

#[tokio::test]
async fn many_denied_publishes_are_all_denied_and_no_others() {
    let server = start(r#"publish: { deny: "s.secret.>" }"#).await;
    let nats = connect(&server, |options| options.max_in_flight(100)).await;
    let publishing = (0..1000).map(|number| {
        let subject = match number % 3 {
            0 => "s.secret.a",
            1 => "s.secret.b",
            _ => "s.a",
        };
        let nats = nats.clone();
        async move { (subject, publish(&nats, draft(subject)).await) }
    });
    for (subject, result) in within(join_all(publishing)).await {
        match (subject, result) {
            ("s.a", result) => drop(result.unwrap()),
            (subject, result) => denied(&result.unwrap_err(), subject),
        }
    }
    assert_eq!(
        state(&connect(&server, |o| o.user("all", "pw")).await, "S")
            .await
            .messages,
        333
    );
}

#[tokio::test]
async fn a_denied_call_is_denied_at_once() {
    let server = start(r#"publish: { deny: "$JS.API.>" }"#).await;
    let nats = connect(&server, |options| options).await;
    let error = within(nats.stream_state("S")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(error.stream(), Some("S"));
    // A publish needs no call, and a wrong last sequence stays what it is.
    let first = draft("s.a").id("one").expect(|e| e.last_sequence = Some(0));
    publish(&nats, first.clone()).await.unwrap();
    let error = refused(&nats, first).await;
    assert!(
        matches!(error.kind(), ErrorKind::WrongLastSequence { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_inbox_that_may_not_be_subscribed_to_is_named() {
    let server = start(r#"subscribe: { allow: "mine.>" }"#).await;
    let nats = connect(&server, |options| options).await;
    let error = refused(&nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("inbox"), "{error}");
    let nats = connect(&server, |options| options.inbox_prefix("mine.inbox")).await;
    publish(&nats, draft("s.a")).await.unwrap();
}

#[tokio::test]
async fn without_management_calls_publishing_needs_its_subjects_only() {
    let server = start(r#"publish: "s.>", subscribe: "_INBOX.>""#).await;
    let nats = connect(&server, |options| options.management(Management::Never)).await;
    publish(&nats, draft("s.a").id("one")).await.unwrap();
    assert!(
        publish(&nats, draft("s.a").id("one"))
            .await
            .unwrap()
            .duplicate
    );
    let error = within(nats.stream_state("S")).await.unwrap_err();
    let unsupported = ErrorKind::Unsupported(Capability::StreamAdmin);
    assert_eq!(*error.kind(), unsupported, "{error}");
    assert!(error.to_string().contains("management calls"), "{error}");
    assert!(!nats.supports(Capability::StreamAdmin));
    let config = stream("T", "t.>", |stream| stream);
    let error = within(nats.apply_stream(&config)).await.unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::StreamAdmin),
        "{error}"
    );
    drop(send(&nats, draft("s.a")).await.unwrap());
}

#[tokio::test]
async fn without_jetstream_that_is_said() {
    let server = Server::options().without_jetstream().start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let error = within(nats.stream_state("S")).await.unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::Store),
        "{error}"
    );
    let error = refused(&nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::NoStream, "{error}");
}

#[tokio::test]
async fn a_consumer_beyond_the_limit_of_subscriptions_is_refused_and_the_others_go_on() {
    let server = Server::options().config("max_subscriptions: 4").start();
    let server = server.await.unwrap();
    let nats = within(Nats::connect(Nats::options(server.url())))
        .await
        .unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    let open = || {
        let name = ConsumerName::Ephemeral;
        let config = ConsumerConfig::new(name, vec![pattern("s.>")]);
        nats.subscribe(SubscribeRequest::new("S", config))
    };
    let mut first = within(open()).await.unwrap();
    let mut others = Vec::new();
    let error = loop {
        assert!(others.len() < 10, "none was refused");
        let mut other = match within(open()).await {
            Ok(other) => other,
            Err(error) => break error,
        };
        // One that is refused says so before a message comes.
        publish(&nats, draft("s.1")).await.unwrap();
        match within(other.next()).await.unwrap() {
            Ok(_) => others.push(other),
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("max_subscriptions"), "{error}");
    for other in others.iter_mut().chain([&mut first]) {
        within(other.next()).await.unwrap().unwrap();
    }
}

//! Connecting: credentials, server information, reconnects.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use event_sdk::transport::nats::{ConnectionState, DisconnectReason, Nats, NatsOptions, Version};
use event_sdk::transport::{Capability, Error, ErrorKind, Outcome, Transport};
use event_sdk_test_servers::{Server, User, programs};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::support::{
    Rig, apply, begin, draft, eventually, publish, refused, send, state, stream, within,
};

const PASSWORD: &str = "correct-horse";

fn users() -> String {
    format!("authorization {{ user: \"me\", password: \"{PASSWORD}\" }}")
}

async fn refused_connection(options: NatsOptions) -> Error {
    within(Nats::connect(options)).await.err().unwrap()
}

async fn until(nats: &Nats, wanted: impl Fn(&ConnectionState) -> bool) -> ConnectionState {
    let mut watch = nats.connection();
    within(async {
        let mut state = watch.current();
        while !wanted(&state) {
            state = watch.changed().await;
        }
        state
    })
    .await
}

fn lost(state: &ConnectionState) -> bool {
    matches!(state, ConnectionState::Disconnected { .. })
}

#[tokio::test]
async fn what_the_server_is_is_learnt() {
    let rig = Rig::start().await;
    let version = rig.nats.server_version();
    assert!(
        version
            >= Version {
                major: 2,
                minor: 11,
                patch: 0
            },
        "{version}"
    );
    assert_eq!(rig.nats.connection().current(), ConnectionState::Connected);
    let capabilities = rig.nats.capabilities();
    assert!(capabilities.has(Capability::ExpectPattern));
    assert!(capabilities.has(Capability::SeveralFilters));
    assert!(!capabilities.has(Capability::ValueHandover));
    assert_eq!(capabilities.max_payload(), 1024 * 1024);
}

#[tokio::test]
async fn what_the_oldest_server_lacks_is_unsupported_and_not_sent() {
    let program = programs::nats::oldest().unwrap();
    let server = Server::options().program(program).start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    assert_eq!(nats.server_version(), Version::OLDEST);
    assert!(!nats.capabilities().has(Capability::ExpectPattern));
    let expecting = draft("s.order.placed.7").expect(|e| {
        e.last_pattern_sequence = Some((crate::support::pattern("s.order.*.7"), 0));
    });
    let error = refused(&nats, expecting).await;
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::ExpectPattern)
    );
    assert!(error.to_string().contains("2.11"), "{error}");
    assert_eq!(state(&nats, "S").await.messages, 0);
    // Our own message whose expectation has moved on is a duplicate here too.
    let first = draft("s.a").id("one").expect(|e| e.last_sequence = Some(0));
    publish(&nats, first.clone()).await.unwrap();
    assert!(publish(&nats, first).await.unwrap().duplicate);
}

/// Says that it is of this version, and otherwise behaves as a server does until a client has
/// connected; then it waits until the client ends the connection.
async fn pretends_to_be(version: &str, listener: TcpListener) {
    let (socket, _) = listener.accept().await.unwrap();
    let mut socket = BufReader::new(socket);
    let info = format!(
        r#"{{"server_id":"x","server_name":"x","version":"{version}","proto":1,"headers":true,"jetstream":true,"max_payload":1048576}}"#
    );
    let info = format!("INFO {info}\r\n");
    socket.write_all(info.as_bytes()).await.unwrap();
    let mut line = String::new();
    while socket.read_line(&mut line).await.unwrap_or(0) > 0 {
        if line.starts_with("PING") {
            socket.write_all(b"PONG\r\n").await.unwrap();
        }
        line.clear();
    }
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_both_versions() {
    for version in ["2.10.24", "2.9.25", "1.4.1"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(pretends_to_be(version, listener));
        let error = refused_connection(Nats::options(url)).await;
        assert_eq!(*error.kind(), ErrorKind::Unsupported(Capability::Store));
        let text = error.to_string();
        assert!(text.contains(version), "{text}");
        assert!(text.contains("2.10.25 or newer"), "{text}");
        // The connection is not left open.
        within(server).await.unwrap();
    }
}

#[tokio::test]
async fn one_that_is_new_enough_or_of_no_known_version_is_not() {
    for (version, taken_as) in [
        ("2.10.25", "2.10.25"),
        ("2.99.0", "2.99.0"),
        ("dev", "2.10.25"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(pretends_to_be(version, listener));
        let nats = within(Nats::connect(Nats::options(url))).await.unwrap();
        assert_eq!(nats.server_version().to_string(), taken_as);
        drop(nats);
        within(server).await.unwrap();
    }
}

#[tokio::test]
async fn the_right_credentials_connect() {
    let server = Server::options().config(&users()).start().await.unwrap();
    let port = server.port();
    for options in [
        Nats::options(server.url()).user("me", PASSWORD),
        Nats::options(format!("nats://me:{PASSWORD}@127.0.0.1:{port}")),
        Nats::options(format!(
            "nats://127.0.0.1:1, nats://me:{PASSWORD}@127.0.0.1:{port}"
        )),
    ] {
        let nats = within(Nats::connect(options)).await.unwrap();
        apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    }
}

#[tokio::test]
async fn a_token_and_an_nkey_connect() {
    let server = Server::options()
        .config("authorization { token: \"the token\" }")
        .start()
        .await
        .unwrap();
    within(Nats::connect(
        Nats::options(server.url()).token("the token"),
    ))
    .await
    .unwrap();
    let key = nkeys::KeyPair::new_user();
    let users = format!(
        "authorization {{ users: [ {{ nkey: {} }} ] }}",
        key.public_key()
    );
    let server = Server::options().config(&users).start().await.unwrap();
    let options = Nats::options(server.url()).nkey(key.seed().unwrap());
    let nats = within(Nats::connect(options)).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    let other = nkeys::KeyPair::new_user().seed().unwrap();
    let error = refused_connection(Nats::options(server.url()).nkey(other)).await;
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let server = Server::options().config(&users()).start().await.unwrap();
    let port = server.port();
    for options in [
        Nats::options(server.url()),
        Nats::options(server.url()).user("me", "hidden-secret"),
        Nats::options(server.url()).token("hidden-secret"),
        Nats::options(format!("nats://me:hidden-secret@127.0.0.1:{port}")),
    ] {
        let shown = format!("{options:?}");
        assert!(!shown.contains("hidden"), "{shown}");
        let error = refused_connection(options).await;
        assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            let _ = write!(shown, "{error} {error:?}");
            source = error.source();
        }
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[tokio::test]
async fn secrets_are_in_no_debug_of_the_transport() {
    let server = Server::options().config(&users()).start().await.unwrap();
    let options = Nats::options(format!("nats://me:{PASSWORD}@127.0.0.1:{}", server.port()));
    let nats = Nats::connect(options).await.unwrap();
    let shown = format!("{nats:?} {:?} {:?}", nats.core(), nats.connection());
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn no_server_is_told() {
    // Port 1 is reserved, and nobody listens there.
    let error = refused_connection(Nats::options("nats://me:hidden@127.0.0.1:1")).await;
    assert_eq!(*error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    for options in [
        Nats::options(""),
        Nats::options("http://127.0.0.1"),
        Nats::options("127.0.0.1:1").inbox_prefix("in box"),
        Nats::options("127.0.0.1:1").inbox_prefix("inbox.>"),
        Nats::options("127.0.0.1:1").inbox_prefix("_IN\u{202e}BOX"),
        Nats::options("127.0.0.1:1").api_prefix("$JS.\u{a0}"),
        Nats::options("127.0.0.1:1").domain("a..b"),
        Nats::options("127.0.0.1:1").domain("h\u{200b}ub"),
        Nats::options("127.0.0.1:1").ping_interval(Duration::ZERO),
        Nats::options("127.0.0.1:1").nkey("hidden"),
        Nats::options("127.0.0.1:1").credentials("hidden"),
        Nats::options("127.0.0.1:1").credentials_file("/does/not/exist"),
    ] {
        let error = refused_connection(options).await;
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn connecting_can_wait_for_a_server_that_starts_later() {
    let mut server = Server::start().await.unwrap();
    server.stop().await.unwrap();
    let options = Nats::options(server.url()).connect_within(Duration::from_secs(20));
    let connecting = tokio::spawn(Nats::connect(options));
    server.restart().await.unwrap();
    let nats = within(connecting).await.unwrap().unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    publish(&nats, draft("s.a")).await.unwrap();
}

#[tokio::test]
async fn the_state_is_watched_over_a_restart() {
    let mut rig = Rig::with_stream(|stream| stream).await;
    rig.server.stop().await.unwrap();
    until(&rig.nats, lost).await;
    let unreachable = ConnectionState::Disconnected {
        reason: DisconnectReason::Unreachable,
    };
    until(&rig.nats, |state| *state == unreachable).await;
    rig.server.restart().await.unwrap();
    until(&rig.nats, |state| *state == ConnectionState::Connected).await;
    publish(&rig.nats, draft("s.a")).await.unwrap();
    within(rig.nats.close()).await.unwrap();
    until(&rig.nats, |state| *state == ConnectionState::Closed).await;
}

#[tokio::test]
async fn a_publish_waits_for_the_connection() {
    let mut rig = Rig::with_stream(|stream| stream).await;
    rig.server.stop().await.unwrap();
    until(&rig.nats, lost).await;
    let mut waiting: Vec<_> = (0..10).map(|_| begin(&rig.nats, draft("s.a"))).collect();
    // A dropped answer takes nothing back here either.
    waiting.remove(4);
    rig.server.restart().await.unwrap();
    let mut sequences = Vec::new();
    for answer in waiting {
        let confirmation = within(answer).await.unwrap();
        sequences.push(within(confirmation).await.unwrap().sequence.unwrap());
    }
    assert_eq!(sequences, [1, 2, 3, 4, 6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent_and_that_is_said() {
    let mut server = Server::start().await.unwrap();
    let wait = Duration::from_millis(500);
    let options = Nats::options(server.url()).connection_wait(wait);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.stop().await.unwrap();
    until(&nats, lost).await;
    let begun = Instant::now();
    drop(begin(&nats, draft("s.a").body("dropped")));
    let error = refused(&nats, draft("s.a")).await;
    assert!(begun.elapsed() >= wait, "it has not waited");
    assert_eq!(*error.kind(), ErrorKind::Disconnected, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.subject(), Some("s.a"));
    server.restart().await.unwrap();
    until(&nats, |state| *state == ConnectionState::Connected).await;
    let stored = publish(&nats, draft("s.a")).await.unwrap();
    assert_eq!(stored.sequence, Some(1), "what was given up was sent");
}

#[tokio::test]
async fn what_was_sent_and_not_confirmed_may_be_stored() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url()).ack_timeout(Duration::from_secs(1));
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    let confirmation = send(&nats, draft("s.a")).await.unwrap();
    server.kill().await.unwrap();
    let error = within(confirmation).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    server.restart().await.unwrap();
    let again = eventually("a publish", async || {
        publish(&nats, draft("s.a")).await.ok()
    });
    assert!(again.await.sequence.is_some());
}

#[tokio::test]
async fn a_lost_connection_takes_no_room_from_the_next() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url()).max_in_flight(4);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(send(&nats, draft("s.a")).await.unwrap());
    }
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    // Long before their ack timeout of half a minute.
    let begun = Instant::now();
    publish(&nats, draft("s.a")).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25));
}

#[tokio::test]
async fn a_given_up_connection_closes_the_transport() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url())
        .reconnect_delay(Duration::from_millis(1), Duration::from_millis(1))
        .max_reconnects(3);
    let nats = Nats::connect(options).await.unwrap();
    server.stop().await.unwrap();
    until(&nats, |state| *state == ConnectionState::Closed).await;
    let error = refused(&nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
}

#[tokio::test]
async fn closing_without_a_connection_does_not_hang() {
    let mut rig = Rig::with_stream(|stream| stream).await;
    rig.server.stop().await.unwrap();
    until(&rig.nats, lost).await;
    let waiting = begin(&rig.nats, draft("s.a"));
    within(rig.nats.close()).await.unwrap();
    let error = within(waiting).await.err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
}

#[tokio::test]
async fn a_drain_confirms_what_was_handed_over_and_refuses_the_rest() {
    let rig = Rig::with_stream(|stream| stream).await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        waiting.push(send(&rig.nats, draft("s.a")).await.unwrap());
    }
    let drain = rig.nats.drain(Duration::from_secs(10));
    let error = refused(&rig.nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
    within(drain).await.unwrap();
    for (sequence, confirmation) in (1..).zip(waiting) {
        assert_eq!(within(confirmation).await.unwrap().sequence, Some(sequence));
    }
    assert_eq!(rig.nats.connection().current(), ConnectionState::Closed);
}

#[tokio::test]
async fn expired_credentials_are_the_reason() {
    let server = Server::options().config(&users()).start().await.unwrap();
    let options = Nats::options(server.url())
        .user("me", PASSWORD)
        .connection_wait(Duration::from_millis(500));
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    // The server takes another password from now on.
    let file = std::fs::read_dir(server.folder()).unwrap();
    let config = file
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "conf"))
        .unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(PASSWORD, "another")).unwrap();
    let mut server = server;
    server.restart().await.unwrap();
    let expired = ConnectionState::Disconnected {
        reason: DisconnectReason::Unauthenticated,
    };
    until(&nats, |state| *state == expired).await;
    let error = refused(&nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.subject(), Some("s.a"));
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("another", PASSWORD)).unwrap();
    server.restart().await.unwrap();
    eventually("the connection", async || {
        publish(&nats, draft("s.a")).await.ok()
    })
    .await;
}

/// Servers before 2.10.29 and 2.11.6 answer the token as the name.
#[tokio::test]
async fn a_login_token_is_never_the_name_of_the_user() {
    for program in [programs::nats::current(), programs::nats::oldest()] {
        let server = Server::options()
            .program(program.unwrap())
            .token("a-planted-token")
            .start()
            .await
            .unwrap();
        let options = Nats::options(server.url()).token("a-planted-token");
        let nats = within(Nats::connect(options)).await.unwrap();
        let user = within(nats.user()).await.unwrap();
        let text = format!("{user:?}");
        assert!(!text.contains("a-planted-token"), "{text}");
    }
}

/// The hub of a leaf node answers too, about the connection of the leaf node.
#[tokio::test]
async fn the_user_is_that_of_the_connection_also_where_a_hub_answers_first() {
    let hub = Server::options().config("leafnodes { listen: \"127.0.0.1:-1\" }");
    let hub = hub.start().await.unwrap();
    let listening = "Listening for leafnode connections on ";
    let address = eventually("the port of leaf nodes", async || {
        let log = hub.log();
        let (_, address) = log.split_once(listening)?;
        Some(address.lines().next()?.to_owned())
    });
    let address = address.await;
    let remote = format!("leafnodes {{ remotes: [{{ url: \"nats-leaf://{address}\" }}] }}");
    let leaf = Server::options().without_jetstream().config(&remote);
    let users = [User::password("billing", PASSWORD)];
    let leaf = leaf.users(users).start().await.unwrap();
    eventually("the leaf node", async || {
        let leafs = hub.monitor("/leafz").await.unwrap();
        (leafs["leafnodes"] == 1).then_some(())
    })
    .await;
    let options = Nats::options(leaf.url()).user("billing", PASSWORD);
    let nats = within(Nats::connect(options)).await.unwrap();
    for _ in 0..200 {
        let user = within(nats.user()).await.unwrap().unwrap();
        assert_eq!(user.name.as_deref(), Some("billing"), "{user:?}");
    }
}

//! Users who may not look at every stream: the lists name what is unknown, and go on.

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::{Permissions, Server, User};
use serde_json::Value;

use crate::program::{Ran, piped};
use crate::shop::{SHOP, operations};

const PASSWORD: &str = "a-planted-password";

/// The user of `Topology::permissions(…).operator("ops")`.
fn operator() -> Permissions {
    let users = SHOP.permissions("events").operator("ops").build().unwrap();
    let users = serde_json::to_value(&users).unwrap();
    let lines = |what: &str| {
        let lines = users["users"][0][what].as_array().unwrap().iter();
        let text = |line: &Value| {
            line.as_str()
                .or(line["subject"].as_str())
                .unwrap()
                .to_owned()
        };
        lines.map(text).collect::<Vec<_>>()
    };
    let (publish, subscribe) = (lines("publish"), lines("subscribe"));
    let publish: Vec<_> = publish.iter().map(String::as_str).collect();
    let subscribe: Vec<_> = subscribe.iter().map(String::as_str).collect();
    Permissions::none().publish(&publish).subscribe(&subscribe)
}

/// A server with the streams of the shop, a bucket of another program, and more streams.
async fn server(more: &[&'static str]) -> (Server, Operations) {
    let users = [
        User::password("admin", PASSWORD),
        User::password("ops", PASSWORD).permissions(operator()),
    ];
    let server = Server::options().users(users).start().await.unwrap();
    let connect = async |user: &str| {
        let options = Nats::options(server.url()).user(user, PASSWORD);
        Nats::connect(options).await.unwrap()
    };
    let builder = SHOP.declare(EventBus::builder());
    let mut builder = builder.coordination(BucketConfig::new("SETTINGS").replicas(1));
    for name in more {
        builder = builder.stream(StreamSpec::new(*name).subject(format!("{name}.>")));
    }
    let admin = builder.transport(connect("admin").await).unwrap();
    admin.apply().await.unwrap();
    let ops = EventBus::builder().transport(connect("ops").await).unwrap();
    (server, operations(ops))
}

/// What the lists say of the buckets.
const LEFT_OUT: &str = "left out by name, as of a key-value or object store (KV_, OBJ_): ";

const LISTS: [&str; 4] = [
    "streams ls",
    "streams report",
    "consumers ls",
    "consumers lag",
];

#[tokio::test]
async fn the_generated_operator_lists_what_there_is() {
    let (_server, shop) = server(&[]).await;
    for list in LISTS {
        let ran = piped(&shop, list).await;
        assert_eq!(ran.code, 0, "{list}: {ran:?}");
        assert!(ran.err.starts_with(LEFT_OUT), "{list}: {ran:?}");
        assert!(ran.out.contains("ORDERS"), "{list}: {}", ran.out);
        assert!(!ran.out.contains("KV_"), "{list}: {}", ran.out);
    }
    for (command, code) in [
        ("tail --last 1 --no-follow", 0),
        ("replay", 0),
        ("trace none", 1),
    ] {
        let ran = piped(&shop, command).await;
        assert_eq!((ran.code, &*ran.err), (code, ""), "{command}: {ran:?}");
    }
    let schedules = piped(&shop, "schedule ls").await;
    assert_eq!(schedules.code, 0, "{schedules:?}");
    assert!(schedules.err.starts_with(LEFT_OUT), "{schedules:?}");
    // A bucket of another program is unknown to it.
    for list in LISTS {
        unknown(
            list,
            "--all",
            "KV_SETTINGS",
            &piped(&shop, &format!("{list} --all")).await,
        );
    }
}

#[tokio::test]
async fn a_stream_that_may_not_be_looked_at_is_unknown() {
    let (_server, shop) = server(&["PRIVATE"]).await;
    for list in LISTS {
        unknown(list, "", "PRIVATE", &piped(&shop, list).await);
        let json = piped(&shop, &format!("{list} --json")).await;
        assert_eq!(json.code, 1, "{json:?}");
        let json: Value = serde_json::from_str(&json.out).unwrap();
        let rows = json.as_array().or(json["streams"].as_array()).unwrap();
        let field = if list.starts_with("streams") {
            "name"
        } else {
            "stream"
        };
        let row = rows.iter().find(|row| row[field] == "PRIVATE").unwrap();
        let why = row["unknown"].as_str().unwrap();
        assert!(why.contains("no permission for $JS.API."), "{list}: {row}");
        assert!(
            rows.iter().any(|row| row[field] == "ORDERS"),
            "{list}: {json}"
        );
    }
    let schedules = piped(&shop, "schedule ls").await;
    let line = "stream PRIVATE: unknown (no permission for $JS.API.STREAM.INFO.PRIVATE)\n";
    assert_eq!(
        (schedules.code, &*schedules.out),
        (1, line),
        "{schedules:?}"
    );
    // Events of the other streams are read by their stream, or their subjects.
    for (command, code) in [
        ("tail --stream ORDERS --last 1 --no-follow", 0),
        ("tail --subject events.orders.> --last 1 --no-follow", 0),
        ("replay --stream ORDERS", 0),
        ("trace none --subject events.orders.>", 1),
    ] {
        let ran = piped(&shop, command).await;
        assert_eq!((ran.code, &*ran.err), (code, ""), "{command}: {ran:?}");
    }
    // Whoever names the stream is told why it does not work.
    let named = piped(&shop, "consumers ls PRIVATE").await;
    assert_eq!((named.code, &*named.out), (2, ""), "{named:?}");
    let known = piped(&shop, "consumers lag ORDERS --max-events 0").await;
    assert_eq!((known.code, &*known.err), (0, ""), "{known:?}");
}

#[track_caller]
fn unknown(list: &str, args: &str, stream: &str, ran: &Ran) {
    assert_eq!(ran.code, 1, "{list} {args}: {ran:?}");
    let is_said = ran.err.starts_with(LEFT_OUT);
    assert_eq!(is_said, args.is_empty(), "{list} {args}: {ran:?}");
    let line = format!("stream {stream}: unknown (no permission for $JS.API.");
    assert!(ran.out.contains(&line), "{list} {args}: {}", ran.out);
    assert!(ran.out.contains("ORDERS"), "{list} {args}: {}", ran.out);
}

#[tokio::test]
async fn streams_of_stores_are_listed_on_demand() {
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(StreamSpec::new("OBJ_FILES").subject("files.>"))
        .stream(StreamSpec::new("KV_SETTINGS").subject("settings.>"));
    let shop = Operations::new("shop").bus(bus.memory().unwrap());
    for list in ["streams ls", "streams report"] {
        for (args, buckets) in [("", false), ("--all", true)] {
            let ran = piped(&shop, &format!("{list} {args}")).await;
            assert_eq!(ran.code, 0, "{ran:?}");
            for name in ["OBJ_FILES", "KV_SETTINGS"] {
                assert_eq!(
                    ran.out.contains(name),
                    buckets,
                    "{list} {args}: {}",
                    ran.out
                );
            }
        }
    }
    let asked = piped(&shop, "streams ls --subject 'events.files.>'").await;
    assert!(asked.out.contains("OBJ_FILES"), "{}", asked.out);
}

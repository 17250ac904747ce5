//! `tail`, `trace`, `publish` and `replay`: which events are shown, and what of them.

use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventBus};
use event_sdk_ops::Operations;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::program::{piped, ran, words};
use crate::shop::{CUSTOMER, OrderPlaced, busy, operations};

/// The lines of a command's JSON.
async fn lines(args: &str) -> Vec<Value> {
    let ran = piped(&operations(busy().await), &format!("{args} --json")).await;
    assert_eq!(ran.code, 0, "{args}: {ran:?}");
    let lines = ran.out.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn personal_data_are_shown_on_demand_only() {
    let shop = operations(busy().await);
    for args in [
        "tail --last 9 --no-follow",
        "tail --since 2026-05-01T00:00:00Z --no-follow",
        "replay",
        "trace 019de28d-3c00-7000-8000-000000000001 --data",
    ] {
        for args in [args.to_owned(), format!("{args} --json")] {
            let hidden = piped(&shop, &args).await;
            assert_eq!(hidden.code, 0, "{args}: {hidden:?}");
            assert!(!hidden.out.contains(CUSTOMER), "{args}: {}", hidden.out);
            assert!(
                hidden.out.contains("[personal data]"),
                "{args}: {}",
                hidden.out
            );
            let shown = piped(&shop, &format!("{args} --show-personal-data")).await;
            assert!(shown.out.contains(CUSTOMER), "{args}: {}", shown.out);
        }
    }
}

#[tokio::test]
async fn an_unknown_event_hides_all_of_its_data() {
    let returned = &lines("tail --type order.returned --last 9 --no-follow").await[0];
    assert_eq!(returned["data"], Value::Null);
    assert!(
        returned["hidden"]
            .as_str()
            .unwrap()
            .contains("does not know")
    );
    let bytes = lines("replay --subject events.orders.order.placed").await;
    let last = bytes.last().unwrap();
    assert_eq!(
        (&last["event_id"], &last["data"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        !last["hidden"].to_string().contains("no envelope"),
        "{last}"
    );
}

#[tokio::test]
async fn events_are_selected() {
    for (args, sequences) in [
        ("", vec![1, 2, 3, 4, 5, 1]),
        ("--stream ORDERS", vec![1, 2, 3, 4, 5]),
        ("--subject events.billing.>", vec![1]),
        ("--type order.placed", vec![1, 2, 3]),
        ("--key o-1", vec![1, 1]),
        (
            "--correlation 019de28d-3c00-7000-8000-000000000001",
            vec![1, 1],
        ),
    ] {
        let found = lines(&format!("replay {args}")).await;
        let found: Vec<_> = found
            .iter()
            .map(|line| line["sequence"].as_u64().unwrap())
            .collect();
        assert_eq!(found, sequences, "{args}");
    }
    let between = "replay --from 2026-05-01T08:01:00Z --to 2026-05-01T08:02:00Z";
    assert_eq!(lines(between).await.len(), 2);
    assert_eq!(lines("replay --limit 2").await.len(), 2);
    let last = lines("tail --last 1 --type order.placed --no-follow").await;
    assert_eq!(last[0]["data"]["order"], "o-3");
}

#[tokio::test]
async fn tail_goes_on_with_what_is_stored_later() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    let tail = async {
        let args = words("tail --last 1 --type order.placed --count 3 --json");
        ran(&shop, &args, b"", false).await
    };
    let publish = async {
        for number in [7, 8] {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let placed = OrderPlaced {
                order: format!("o-{number}"),
                cents: 1,
                customer: event_sdk::Pii::new("x".to_owned()),
            };
            bus.publisher().publish(placed).await.unwrap();
        }
    };
    let (tail, ()) = tokio::join!(tail, publish);
    let keys: Vec<_> = tail
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["data"]["order"].clone())
        .collect();
    assert_eq!(keys, ["o-3", "o-7", "o-8"]);
}

#[tokio::test]
async fn a_trace_without_events_exits_with_one() {
    let ran = piped(&operations(busy().await), "trace nothing").await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("no event has the correlation id nothing"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn what_consumers_could_not_read_is_not_published() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    for (args, why) in [
        (
            r#"publish order.placed '{"order":"o"}'"#,
            "the data are no OrderPlaced 1.0",
        ),
        (
            "publish order.placed 'no json'",
            "the data are no OrderPlaced 1.0",
        ),
        (
            "publish order.lost '{}'",
            "it knows billing.order.billed, orders.order.placed",
        ),
        ("publish a..b --raw x", "is no subject"),
        (
            "publish order.placed --file /nowhere.json",
            "/nowhere.json cannot be read",
        ),
    ] {
        let ran = piped(&shop, args).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args}");
        assert!(ran.err.contains(why), "{args}: {}", ran.err);
    }
    let personal = r#"{"order":"o","cents":"Ada Lovelace","customer":"Ada Lovelace"}"#;
    let ran = piped(&shop, &format!("publish order.placed '{personal}'")).await;
    assert_eq!(ran.code, 2);
    assert!(!ran.err.contains(CUSTOMER), "{}", ran.err);
    let state = event_sdk::transport::TransportExt::stream_state(bus.transport(), "ORDERS");
    assert_eq!(state.await.unwrap().messages, 5);
}

#[tokio::test]
async fn an_event_is_published_from_the_standard_input() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    let data = br#"{"order":"o-9","cents":5,"customer":"Grace"}"#;
    let args = words("publish orders.order.placed - --correlation c-1 --json --by ada");
    let published = ran(&shop, &args, data, false).await;
    assert_eq!(published.code, 0, "{published:?}");
    let json: Value = serde_json::from_str(&published.out).unwrap();
    assert_eq!(
        (&json["stream"], &json["sequence"]),
        (&"ORDERS".into(), &6.into())
    );
    for text in [&published.out, &published.err] {
        assert!(!text.contains("Grace"), "{text}");
    }
    let mut stored = bus.history::<OrderPlaced>().newest_first().await.unwrap();
    let event = stored.next().await.unwrap().unwrap();
    assert_eq!(event.decode().unwrap().customer.expose(), "Grace");
    let head = event.head().unwrap();
    assert_eq!(
        head.metadata.correlation_id.as_ref().unwrap().to_string(),
        "c-1"
    );
    assert_eq!(event.key().as_deref(), Some("o-9"));
}

#[tokio::test]
async fn a_trace_escapes_what_other_programs_call_themselves() {
    let bus = busy().await;
    let event = r#"{"event_id":"0197a2b0-7c1e-7000-8000-0000000000aa","event_type":"order.returned","timestamp":"2026-05-01T08:00:00Z","source":"till\u001b[31m","data":{}}"#;
    let raw = bus.raw();
    raw.publish("orders.order.returned", event).await.unwrap();
    let trace = "trace 0197a2b0-7c1e-7000-8000-0000000000aa";
    let ran = piped(&operations(bus), &format!("{trace} --color always")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("till\\u{1b}[31m"), "{}", ran.out);
}

#[tokio::test]
async fn a_trace_is_cut_where_it_says_so() {
    let shop = operations(busy().await);
    let trace = "trace 019de28d-3c00-7000-8000-000000000001";
    for (args, code) in [
        ("--limit 1", 3),
        ("--limit 1 --json", 3),
        ("--limit 2", 0),
        ("", 0),
    ] {
        let ran = piped(&shop, &format!("{trace} {args}")).await;
        assert_eq!(ran.code, code, "{args}: {ran:?}");
        let says = ran.err.contains("more events than the first 1 event");
        assert_eq!(says, code == 3, "{args}: {}", ran.err);
        assert_eq!(
            ran.out.contains("order.billed"),
            code == 0,
            "{args}: {}",
            ran.out
        );
    }
}

/// A till was opened.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "tills")]
struct TillOpened {
    #[event(key, in_subject)]
    till: String,
}

#[tokio::test]
async fn a_publish_names_the_whole_subject() {
    let tills = StreamSpec::new("TILLS").subject("tills.>");
    let bus = EventBus::builder().prefix("acme").stream(tills);
    let shop = Operations::new("shop")
        .events::<TillOpened>()
        .bus(bus.memory().unwrap());
    let publish = r#"publish till.opened '{"till":"a.b"}'"#;
    let dry = piped(&shop, &format!("{publish} --dry-run")).await;
    assert_eq!(
        dry.out, "would publish acme.tills.till.opened.a=2Eb\n",
        "{dry:?}"
    );
    let done = piped(&shop, &format!("{publish} --json")).await;
    let json: Value = serde_json::from_str(&done.out).unwrap();
    let subject = json["subject"].as_str().unwrap();
    assert!(
        done.err
            .contains(&format!("published {subject} as message 1")),
        "{}",
        done.err
    );
    let stored = piped(&shop, "tail --last 1 --no-follow --json").await;
    let stored: Value = serde_json::from_str(&stored.out).unwrap();
    assert_eq!(stored["subject"], subject);
}

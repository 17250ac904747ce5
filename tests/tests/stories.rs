//! Correlation ids, causation ids and trace headers across events.

use event_sdk::headers::Headers;
use event_sdk::transport::ErrorKind;
use event_sdk::{EventBus, TraceContext};
use event_sdk_tests::orders::{OrderPaid, OrderPlaced, placed};
use event_sdk_tests::raw::{self, envelope};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn paid() -> OrderPaid {
    OrderPaid { id: 1, amount: 9.5 }
}

#[tokio::test]
async fn a_story_begins_with_its_first_event_and_is_inherited() {
    let bus = EventBus::memory();
    let mut placements = bus.subscribe::<OrderPlaced>().await.unwrap();
    let mut payments = bus.subscribe::<OrderPaid>().await.unwrap();
    let first = bus
        .publisher::<OrderPlaced>()
        .publish(placed(1))
        .await
        .unwrap();

    let placement = placements.next().await.unwrap().unwrap();
    let head = placement.head().unwrap();
    let story = head.metadata.correlation_id.clone().unwrap();
    assert_eq!(story.as_uuid(), Some(first.event_id()));
    assert_eq!(head.metadata.causation_id, None);

    let publisher = bus.publisher::<OrderPaid>();
    let second = publisher
        .publish(paid())
        .caused_by(&placement)
        .await
        .unwrap();
    let payment = payments.next().await.unwrap().unwrap();
    let head = payment.head().unwrap();
    assert_eq!(head.metadata.correlation_id, Some(story.clone()));
    assert_eq!(head.metadata.causation_id, Some(first.event_id().into()));

    publisher.publish(paid()).caused_by(&payment).await.unwrap();
    let third = payments.next().await.unwrap().unwrap();
    let head = third.head().unwrap();
    assert_eq!(head.metadata.correlation_id, Some(story));
    assert_eq!(head.metadata.causation_id, Some(second.event_id().into()));
}

#[tokio::test]
async fn an_event_that_was_read_from_history_is_a_cause() {
    let bus = EventBus::memory();
    let trace = TraceContext::new(PARENT, None).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    publisher.publish(placed(1)).trace(&trace).await.unwrap();
    let mut history = bus.history::<OrderPlaced>().await.unwrap();
    let stored = history.next().await.unwrap().unwrap();
    let paid = bus.publisher().prepare(paid()).caused_by(&stored);
    let metadata = &paid.head().metadata;
    let first = Some(stored.event_id().unwrap().into());
    assert_eq!(metadata.causation_id, first);
    assert_eq!(metadata.correlation_id, first);
    assert_eq!(paid.headers().get("traceparent"), Some(PARENT));
}

#[tokio::test]
async fn a_foreign_event_without_a_story_begins_one() {
    let bus = EventBus::memory();
    let mut placements = bus.subscribe::<OrderPlaced>().await.unwrap();
    let body = envelope("order.placed", "1.0", r#"{"id":1,"item":"x"}"#);
    raw::publish(&bus, "events.orders.order.placed", body)
        .await
        .unwrap();
    let foreign = placements.next().await.unwrap().unwrap();

    let prepared = bus
        .publisher::<OrderPaid>()
        .prepare(paid())
        .caused_by(&foreign);
    let id = foreign.head().unwrap().event_id;
    assert_eq!(prepared.head().metadata.correlation_id, Some(id.into()));
    assert_eq!(prepared.head().metadata.causation_id, Some(id.into()));
}

#[tokio::test]
async fn a_correlation_id_from_elsewhere_is_inherited_as_it_is() {
    let bus = EventBus::memory();
    let request = bus
        .publisher::<OrderPlaced>()
        .prepare(placed(1))
        .correlation_id("REQ 4711");
    let effect = bus
        .publisher::<OrderPaid>()
        .prepare(paid())
        .caused_by(&request);
    let head = effect.head();
    let story = head.metadata.correlation_id.as_ref().unwrap();
    assert_eq!(story.to_string(), "REQ 4711");
}

#[tokio::test]
async fn poison_causes_no_story() {
    let bus = EventBus::memory();
    let mut placements = bus.subscribe::<OrderPlaced>().await.unwrap();
    raw::publish(&bus, "events.orders.order.placed", "not json")
        .await
        .unwrap();
    let poison = placements.next().await.unwrap().unwrap();
    let prepared = bus
        .publisher::<OrderPaid>()
        .prepare(paid())
        .caused_by(&poison);
    assert_eq!(prepared.head().metadata.causation_id, None);
    let own = prepared.id();
    assert_eq!(prepared.head().metadata.correlation_id, Some(own.into()));
}

#[tokio::test]
async fn a_trace_travels_and_is_inherited() {
    let bus = EventBus::memory();
    let mut placements = bus.subscribe::<OrderPlaced>().await.unwrap();
    let trace = TraceContext::new(PARENT, Some("vendor=a,other@x=b".into())).unwrap();
    bus.publisher::<OrderPlaced>()
        .publish(placed(1))
        .trace(&trace)
        .await
        .unwrap();
    let placement = placements.next().await.unwrap().unwrap();
    assert_eq!(placement.headers().get("traceparent"), Some(PARENT));
    assert_eq!(placement.trace(), Some(trace.clone()));

    let prepared = bus
        .publisher::<OrderPaid>()
        .prepare(paid())
        .caused_by(&placement);
    assert_eq!(
        prepared.headers().get("tracestate"),
        Some("vendor=a,other@x=b")
    );
}

#[tokio::test]
async fn a_broken_trace_is_ignored_and_never_sent() {
    let bus = EventBus::memory();
    let mut placements = bus.subscribe::<OrderPlaced>().await.unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    // Ours refuses to send it; others may.
    let error = publisher
        .publish(placed(1))
        .header("traceparent", "00-broken")
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidHeader);
    let mut headers = Headers::new();
    headers.insert("traceparent", "00-broken").unwrap();
    let body = envelope("order.placed", "1.0", r#"{"id":1,"item":"x"}"#);
    raw::publish_with(&bus, "events.orders.order.placed", headers, body)
        .await
        .unwrap();
    let placement = placements.next().await.unwrap().unwrap();
    assert_eq!(placement.trace(), None);
    let prepared = bus
        .publisher::<OrderPaid>()
        .prepare(paid())
        .caused_by(&placement);
    assert!(prepared.headers().is_empty());
}

#[test]
fn trace_contexts_are_checked() {
    let refused = [
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\n",
    ];
    for parent in refused {
        assert!(TraceContext::new(parent, None).is_err(), "{parent:?}");
    }
    assert!(TraceContext::new(PARENT, None).is_ok());
    // A later version may have more fields.
    let later = PARENT.replacen("00", "01", 1) + "-more";
    assert!(TraceContext::new(later, None).is_ok());

    let many = (0..33)
        .map(|i| format!("k{i}=v"))
        .collect::<Vec<_>>()
        .join(",");
    for state in [
        "novalue",
        "=v",
        "K=v",
        "k=a=b",
        &many,
        &format!("k={}", "v".repeat(600)),
        "k=ü",
    ] {
        assert!(
            TraceContext::new(PARENT, Some(state.to_owned())).is_err(),
            "{state:?}"
        );
    }
    for state in ["", "k=v", "a=1, b=2", "tenant@system=x,,y=z"] {
        assert!(
            TraceContext::new(PARENT, Some(state.to_owned())).is_ok(),
            "{state:?}"
        );
    }
}

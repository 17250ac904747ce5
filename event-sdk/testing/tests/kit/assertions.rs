//! What assertions select and say.

use event_sdk_testing::TestBus;

use crate::events::{OrderInvoiced, OrderPlaced, failure, placed};

async fn three() -> TestBus {
    let bus = TestBus::new();
    let first = bus.given(placed(1)).await;
    bus.publisher()
        .publish(OrderInvoiced { order: 1 })
        .caused_by(&first)
        .await
        .unwrap();
    bus.publisher()
        .publish(placed(2))
        .correlation_id("request-9")
        .await
        .unwrap();
    bus
}

#[tokio::test]
async fn a_selection_is_narrowed_by_event_key_cause_correlation_and_source() {
    let bus = three().await;
    let first = bus.published::<OrderPlaced>().with_key(1).one();
    assert_eq!(*first, placed(1));
    assert_eq!(first.sequence(), Some(1));
    assert_eq!(first.subject().as_str(), "events.orders.order.placed");
    let orders = || bus.published::<OrderPlaced>();
    assert_eq!(orders().matching(|order| order.cents > 100).one().order, 2);
    assert_eq!(orders().with_correlation("request-9").one().order, 2);
    orders().with_correlation("request-8").none();
    let invoiced = bus.published::<OrderInvoiced>().caused_by(&first).one();
    assert_eq!(invoiced.order, 1);
    let second = orders().with_key(2).one();
    bus.published::<OrderInvoiced>().caused_by(&second).none();
    let id = first.head().event_id;
    bus.published::<OrderInvoiced>().with_correlation(id).one();
    orders().from_source("test").exactly(2);
    orders().from_source("billing").none();
    orders().at_least(2);
}

#[tokio::test]
async fn a_failure_says_what_was_expected_and_what_there_is_instead() {
    let bus = three().await;
    let text = failure(|| bus.published::<OrderPlaced>().with_key(7).one());
    let ids = [1, 2, 3].map(|number| format!("01941f29-7c00-7000-8000-00000000000{number}"));
    let [first, second, third] = &ids;
    let expected = format!(
        "\
expected exactly 1 OrderPlaced (orders.order.placed) with the key 7, found 0

OrderPlaced recorded:
  left out: #1 events.orders.order.placed  order.placed 1.0  id {first}  correlation {first}
    OrderPlaced {{ order: 1, cents: 100, customer: [personal data] }}
  left out: #3 events.orders.order.placed  order.placed 1.0  id {third}  correlation request-9
    OrderPlaced {{ order: 2, cents: 200, customer: [personal data] }}

others recorded:
  #2 events.billing.order.invoiced.1  order.invoiced 1.0  id {second}  correlation {first}  caused by {first}"
    );
    assert_eq!(text, expected);

    let text = failure(|| {
        bus.published::<OrderPlaced>()
            .matching(|order| order.order > 0)
            .none();
    });
    let condition = "expected no OrderPlaced (orders.order.placed) matching the condition at ";
    assert!(text.starts_with(condition), "{text}");
    assert!(
        text.contains("assertions.rs:") && text.contains("found 2"),
        "{text}"
    );
    assert!(text.contains("selected: #1"), "{text}");

    let empty = TestBus::new();
    let text = failure(|| empty.published::<OrderPlaced>().at_least(1));
    assert_eq!(
        text,
        "expected at least 1 OrderPlaced (orders.order.placed), found 0\n\nnothing was published"
    );
}

#[tokio::test]
async fn an_order_is_compared_field_by_field() {
    let bus = three().await;
    let orders = || bus.published::<OrderPlaced>();
    orders().in_order([placed(1), placed(2)]);
    let text = failure(|| orders().in_order([placed(1), placed(3)]));
    let shown = "\
     -     order: 3,
     -     cents: 300,
     +     order: 2,
     +     cents: 200,
           customer: [personal data],";
    assert!(text.contains(shown), "{text}");
    assert!(
        text.contains("1. #1 events.orders.order.placed") && text.contains(": as expected"),
        "{text}"
    );
    assert!(!text.contains("Lovelace"), "{text}");

    let text = failure(|| orders().in_order([placed(1)]));
    assert!(text.contains("2. not expected: #3"), "{text}");
    let text = failure(|| orders().in_order([placed(1), placed(2), placed(4)]));
    assert!(text.contains("3. missing:"), "{text}");

    let mut renamed = placed(2);
    *renamed.customer.expose_mut() = "Charles Babbage".to_owned();
    let text = failure(|| orders().in_order([placed(1), renamed]));
    assert!(text.contains("such as personal data"), "{text}");
    assert!(
        !text.contains("Babbage") && !text.contains("Lovelace"),
        "{text}"
    );
}

#[tokio::test]
async fn values_in_order_never_decrease() {
    let bus = three().await;
    bus.published::<OrderPlaced>()
        .in_order_of(|order| order.cents);
    bus.given(placed(1)).await;
    let text = failure(|| {
        bus.published::<OrderPlaced>()
            .in_order_of(|order| order.cents)
    });
    assert!(text.contains("found 200 before 100:\n  #3"), "{text}");
}

#[tokio::test]
async fn nothing_else_lists_what_no_assertion_has_named() {
    let bus = three().await;
    // The first was given.
    let text = failure(|| bus.nothing_else());
    assert!(
        text.starts_with("expected nothing else to be published, found 2 events:\n  #2"),
        "{text}"
    );
    let _ = bus.published::<OrderInvoiced>().so_far();
    bus.published::<OrderInvoiced>().one();
    let text = failure(|| bus.nothing_else());
    assert!(text.contains("found 1 event:\n  #3"), "{text}");
    bus.account_for_all();
    bus.nothing_else();
    bus.publisher().publish(placed(5)).await.unwrap();
    assert!(failure(|| bus.nothing_else()).contains("#4"));
}

#[tokio::test]
async fn what_the_stream_has_already_is_not_recorded_twice() {
    let bus = TestBus::new();
    let orders = bus.publisher();
    let prepared = orders.prepare(placed(1));
    orders.publish(&prepared).await.unwrap();
    assert!(orders.publish(&prepared).await.unwrap().is_duplicate());
    bus.published::<OrderPlaced>().one();
}

#[tokio::test]
async fn every_connection_is_recorded_and_has_its_source_and_ids() {
    let bus = TestBus::builder().prefix("prod.shop").build();
    let [billing, audit] = ["billing", "audit"].map(|source| bus.connect(source));
    for service in [&billing, &audit] {
        service
            .publisher()
            .publish(OrderInvoiced { order: 1 })
            .await
            .unwrap();
    }
    let invoiced = bus.published::<OrderInvoiced>().exactly(2);
    assert_ne!(invoiced[0].id(), invoiced[1].id());
    assert_eq!(
        invoiced[0].subject().as_str(),
        "prod.shop.billing.order.invoiced.1"
    );
    bus.published::<OrderInvoiced>().from_source("audit").one();
    drop(billing);
    bus.given(placed(2)).await;
}

#[tokio::test]
async fn the_same_test_has_the_same_ids_and_times() {
    let run = || async {
        let bus = three().await;
        let events = bus.published::<OrderPlaced>().exactly(2);
        events
            .iter()
            .map(|event| event.head().clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(run().await, run().await);
}

#[test]
fn a_wrong_setting_is_named() {
    let error = TestBus::builder()
        .prefix("not a prefix")
        .try_build()
        .unwrap_err();
    assert!(error.to_string().contains("prefix"), "{error}");
    let text = failure(|| TestBus::builder().prefix("not a prefix").build());
    assert!(text.starts_with("the test bus cannot be built: "), "{text}");
}

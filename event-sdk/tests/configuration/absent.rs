//! A service without a transport: nothing is guessed, and it fails open or closed as it says.

use std::time::Duration;

use event_sdk::config::{Config, TransportChoice};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{EventBus, Publisher};

use crate::support::{OrderPlaced, load, loader, placed};

#[tokio::test]
async fn without_a_transport_there_is_no_bus() {
    let config = load(&[("EVENT_SDK_NATS__URL", "nats://one.example:4222")]);
    assert!(!config.is_configured());
    let error = EventBus::from_config(&config).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotConfigured);
    for text in [
        "EVENT_SDK_TRANSPORT",
        "`memory`",
        "`nats`",
        "`discard`",
        "`refuse`",
    ] {
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn whether_it_is_configured_can_be_asked() {
    for (transport, configured) in [("memory", true), ("discard", false), ("refuse", false)] {
        let config = load(&[("EVENT_SDK_TRANSPORT", transport)]);
        assert_eq!(config.is_configured(), configured, "{transport}");
    }
    // Which a service answers in code.
    let config = loader(&[])
        .defaults(|config| config.transport = Some(TransportChoice::Discard))
        .load()
        .unwrap();
    assert_eq!(config.transport, Some(TransportChoice::Discard));
}

async fn bus(transport: &str) -> EventBus {
    let config = load(&[("EVENT_SDK_TRANSPORT", transport)]);
    EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>").schedules())
        .connect(&config)
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_open_drops_and_counts() {
    let bus = bus("discard").await;
    assert!(bus.apply().await.unwrap().is_unchanged());
    let mut orders = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    let publisher: Publisher<OrderPlaced> = bus.publisher();
    for id in 0..20 {
        let stored = publisher.publish(placed(id)).await.unwrap();
        assert_eq!(stored.sequence(), None);
    }
    publisher
        .publish_after(placed(20), Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(bus.discarded(), 21);
    // An hour of the clock later, nothing has come.
    let hour = Duration::from_secs(60 * 60);
    assert!(tokio::time::timeout(hour, orders.next()).await.is_err());
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().messages, 0);
    // The handles of a bus count together.
    let other = bus.with_prefix("other").unwrap();
    other.publisher().publish(placed(21)).await.unwrap();
    assert_eq!(bus.discarded(), 22);

    bus.drain(Duration::from_secs(1)).await.unwrap();
    let error = publisher.publish(placed(22)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
    assert!(orders.next().await.is_none());
    assert_eq!(bus.discarded(), 22);
    assert_eq!(EventBus::memory().discarded(), 0);
}

/// A consumer of the runtime waits, and ends when it is told to.
#[tokio::test(start_paused = true)]
async fn consumers_of_a_service_that_fails_open_wait() {
    let bus = bus("discard").await;
    let ends = tokio::time::sleep(Duration::from_secs(60));
    let report = bus
        .consumer::<OrderPlaced>("billing")
        .on(async |_: OrderPlaced, _| Ok(()))
        .ordered_by_key()
        .single_active()
        .run_until(ends)
        .await
        .unwrap();
    assert_eq!(report.handled, 0);
}

#[tokio::test]
async fn a_service_that_fails_closed_refuses_everything() {
    let bus = bus("refuse").await;
    let publisher: Publisher<OrderPlaced> = bus.publisher();
    let refused = [
        publisher.publish(placed(1)).await.unwrap_err().into_error(),
        publisher
            .publish_after(placed(1), Duration::from_secs(1))
            .await
            .unwrap_err()
            .into_error(),
        bus.subscribe::<OrderPlaced>().await.unwrap_err(),
        bus.subscribe::<OrderPlaced>()
            .durable("billing")
            .await
            .unwrap_err(),
        bus.apply().await.unwrap_err(),
        bus.stream_state("ORDERS").await.unwrap_err(),
        bus.coordination().get("leases.billing").await.unwrap_err(),
        bus.history::<OrderPlaced>().await.err().unwrap(),
        bus.consumer::<OrderPlaced>("billing")
            .on(async |_: OrderPlaced, _| Ok(()))
            .run_until(std::future::pending::<()>())
            .await
            .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(*error.kind(), ErrorKind::NotConfigured, "{error}");
        assert!(error.to_string().contains("EVENT_SDK_TRANSPORT"), "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone);
        assert!(!error.is_transient());
    }
    assert_eq!(bus.discarded(), 0);
    bus.drain(Duration::from_secs(1)).await.unwrap();
    bus.close().await.unwrap();
}

/// The variable of an error is that of the loader.
#[tokio::test]
async fn the_variable_has_the_prefix_of_the_program() {
    let config = loader(&[("ORDERS_TRANSPORT", "refuse")]).variable_prefix("ORDERS_");
    let bus = EventBus::from_config(&config.load().unwrap())
        .await
        .unwrap();
    let error = bus.publisher().publish(placed(1)).await.unwrap_err();
    let error = error.error();
    assert!(error.to_string().contains("ORDERS_TRANSPORT"), "{error}");
    let none = Config::loader()
        .variables([("A", "b")])
        .variable_prefix("ORDERS_");
    let error = EventBus::from_config(&none.load().unwrap())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ORDERS_TRANSPORT"), "{error}");
}

//! Topologies of services that keep their dead letters in tables: the retry stream, and the permissions for it.

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::ErrorKind;
use event_sdk_topology::permissions::{Consumes, Service};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};

use crate::support::OrderShipped;

#[tokio::test]
async fn letters_in_tables_need_the_retry_stream_alone() {
    const IN_TABLES: Topology =
        Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] })
            .consumers(const { &[DurableSpec::of::<OrderShipped>("billing")] })
            .dead_letters(const { &[DeadLetterSpec::new("DLQ", "RETRY").in_tables()] });
    covers!(IN_TABLES, OrderShipped);
    let billing = Consumes::durable("billing").dead_letters("DLQ");
    let made = IN_TABLES.permissions("shop");
    let made = made.service(Service::new("billing").consumes(billing));
    let made = made.operator("operator").build().unwrap();
    let [billing, operator] = [0, 1].map(|user| {
        let lines = made.users[user].publish.iter();
        lines.map(|line| &*line.subject).collect::<Vec<_>>()
    });
    let of_letters = |all: &[&str]| -> Vec<String> {
        let all = all
            .iter()
            .filter(|subject| subject.contains("DLQ") || subject.contains("dlq"));
        all.map(ToString::to_string).collect()
    };
    assert_eq!(of_letters(&billing), [""; 0]);
    assert_eq!(of_letters(&operator), [""; 0]);
    for needed in ["$JS.API.STREAM.INFO.RETRY", "$JS.ACK.RETRY.billing.>"] {
        assert!(billing.contains(&needed), "{billing:?}");
    }
    assert!(operator.contains(&"retry.*.>"), "{operator:?}");

    let bus = IN_TABLES.declare(EventBus::builder()).memory().unwrap();
    IN_TABLES.apply(&bus).await.unwrap();
    bus.stream_state("RETRY").await.unwrap();
    let none = bus.stream_state("DLQ").await.unwrap_err();
    assert_eq!(*none.kind(), ErrorKind::StreamNotFound);
}

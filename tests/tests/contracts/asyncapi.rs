//! The shop's AsyncAPI document, checked by AsyncAPI's own parser.

use std::collections::BTreeSet;
use std::fs;

use event_schemas::asyncapi;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shop;
use crate::tools::Tools;

/// What the parser says of a document.
#[derive(Debug, Deserialize)]
struct Said {
    /// Everything that it finds fault with, or warns of.
    findings: Vec<Finding>,
    /// The examples that were held against the schemas of their payload and headers.
    examples: usize,
    operations: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Finding {
    code: String,
    path: String,
    message: String,
}

/// An operation as the parser sees it.
#[derive(Debug, Deserialize)]
struct Operation {
    id: String,
    action: String,
    address: String,
    messages: Vec<String>,
}

async fn ask(documents: &[Value]) -> Vec<Said> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let file = folder.path().join(format!("{number}.json"));
        fs::write(&file, document.to_string()).unwrap();
        files.push(file);
    }
    Tools::node().run("node/asyncapi.js", &files).await
}

fn document() -> Value {
    let catalogue = shop::catalogue();
    assert_eq!(catalogue.faults().len(), 0, "{:#?}", catalogue.faults());
    serde_json::from_str(&asyncapi::render(&catalogue)).unwrap()
}

#[tokio::test]
async fn the_official_parser_finds_no_fault() {
    let said = ask(&[document()]).await;
    let [said] = &said[..] else {
        panic!("one document, one answer: {said:#?}")
    };
    assert!(said.findings.is_empty(), "{:#?}", said.findings);
    assert_eq!(said.examples, 11);

    let shown: BTreeSet<String> = said
        .operations
        .iter()
        .map(|it| format!("{} {} {} {:?}", it.id, it.action, it.address, it.messages))
        .collect();
    let orders = r#"["order.placed 1.0", "order.placed 2.1"]"#;
    // A wildcard (`orders.>`) is an operation, with its own message, for each event.
    for expected in [
        format!("audit.audit-orders.receive.orders.order.placed receive prod.shop.orders.order.placed.{{key}} {orders}"),
        r#"audit.audit-orders.receive.orders.order.cancelled receive prod.shop.orders.order.cancelled.{key} ["order.cancelled 1.0"]"#.to_owned(),
        r#"audit.audit-stock.receive.stock.shelf.counted receive prod.shop.stock.shelf.counted ["shelf.counted 1.0"]"#.to_owned(),
        r#"checkout.send.orders.order.placed send prod.shop.orders.order.placed.{key} ["order.placed 2.1"]"#.to_owned(),
        r#"warehouse.ephemeral.receive.acme-carrier.Parcel.Scanned receive acme-carrier.Parcel.Scanned ["parcel.scanned 1.0"]"#.to_owned(),
    ] {
        assert!(shown.contains(&expected), "{expected} is not in {shown:#?}");
    }
    assert_eq!(shown.len(), 16, "{shown:#?}");
}

/// Of an event without an example, one is made up, and it says so.
#[tokio::test]
async fn the_official_parser_takes_examples_that_are_made_up() {
    let text = asyncapi::render(&shop::without_examples());
    let document: Value = serde_json::from_str(&text).unwrap();
    let messages = document["components"]["messages"].as_object().unwrap();
    assert_eq!(messages.len(), 8, "{:?}", messages.keys());
    for (name, message) in messages {
        let examples = message["examples"].as_array().unwrap();
        let [example] = &examples[..] else {
            panic!("{name}: {examples:#?}")
        };
        assert_eq!(example["name"], "example-1", "{name}");
        assert_eq!(example["summary"], "Made up from the schema.", "{name}");
        let event_id = &example["payload"]["event_id"];
        assert_eq!(&example["headers"]["Nats-Msg-Id"], event_id, "{name}");
        let data = example["payload"]["data"].as_object().unwrap();
        assert!(!data.is_empty(), "{name}: {example:#}");
    }
    // Those that are given say nothing of the kind.
    assert!(!asyncapi::render(&shop::catalogue()).contains("Made up"));

    let said = ask(&[document]).await;
    let [said] = &said[..] else {
        panic!("one document, one answer: {said:#?}")
    };
    assert!(said.findings.is_empty(), "{:#?}", said.findings);
    assert_eq!(said.examples, 8);
}

#[tokio::test]
async fn the_official_parser_refuses_what_is_broken() {
    let broken: [(&str, Value); 6] = [
        (
            "/operations/checkout.send.orders.order.placed/action",
            json!("publish"),
        ),
        (
            "/operations/checkout.send.orders.order.placed/messages/0/$ref",
            json!("#/channels/no/messages/no"),
        ),
        (
            "/channels/orders.order.placed/parameters",
            json!({ "other": {} }),
        ),
        ("/channels/orders.order.placed/address", json!(7)),
        (
            "/components/messages/payments.payment.taken.v1.0/examples/0/payload/data/amount",
            json!("12"),
        ),
        (
            "/components/schemas/payments.payment.taken.v1.0/schema/properties/data/$ref",
            json!("#/nowhere"),
        ),
    ];
    let mut documents = Vec::new();
    for (place, value) in &broken {
        let mut document = document();
        *document.pointer_mut(place).unwrap() = value.clone();
        documents.push(document);
    }
    let said = ask(&documents).await;
    for (said, (place, _)) in said.iter().zip(&broken) {
        assert!(!said.findings.is_empty(), "nothing is found at {place}");
    }
    assert_eq!(said.len(), broken.len());
}

#[test]
fn what_asyncapi_has_no_word_for_stands_in_extensions() {
    let document = document();
    let at = |place: &str| document.pointer(place).unwrap_or_else(|| panic!("{place}"));
    assert_eq!(at("/info/x-prefix"), "prod.shop");
    assert_eq!(at("/x-streams/ORDERS/subjects/0"), "prod.shop.orders.>");
    assert_eq!(at("/x-streams/ORDERS/replicas"), 3);
    assert_eq!(at("/x-streams/PAYMENTS/retention"), "workqueue");
    assert_eq!(at("/channels/orders.order.placed/x-stream"), "ORDERS");
    assert!(
        document
            .pointer("/channels/acme-carrier.Parcel.Scanned/x-stream")
            .is_none()
    );

    let message = at("/components/messages/orders.order.placed.v2.1");
    assert_eq!(message["x-pii"], json!(["shipTo.name", "shipTo.street"]));
    assert_eq!(message["x-event"]["key"], "subject");
    assert_eq!(message["x-event"]["subject"], "orders.order.placed");

    let operation = at("/operations/checkout.checkout-payments.receive.payments.payment.taken");
    assert_eq!(operation["bindings"]["nats"]["queue"], "checkout-payments");
    assert_eq!(
        operation["x-consumer"],
        json!({
            "durable": "checkout-payments", "maxDeliver": 5, "ackWaitMs": 30_000,
            "backoffMs": [1000, 5000, 30_000], "deadLetter": "DLQ",
        })
    );
    let operation = at("/operations/audit.audit-orders.receive.orders.order.placed");
    assert_eq!(operation["x-consumer"]["wildcard"], "orders.>");
    let ephemeral = at("/operations/warehouse.ephemeral.receive.acme-carrier.Parcel.Scanned");
    assert!(ephemeral.get("bindings").is_none());
}

#[test]
fn a_message_has_the_headers_and_the_story_of_the_wire_contract() {
    let document = document();
    let message = &document["components"]["messages"]["stock.category.moved.v1.0"];
    let follow = |reference: &Value| {
        let pointer = reference["$ref"]
            .as_str()
            .unwrap()
            .strip_prefix('#')
            .unwrap();
        document.pointer(pointer).unwrap()
    };
    let payload = follow(&message["payload"]);
    assert_eq!(
        payload["schemaFormat"],
        "application/schema+json;version=2020-12"
    );
    assert!(payload["schema"].get("$schema").is_none());
    let story = follow(&message["correlationId"]);
    assert_eq!(
        story["location"],
        "$message.payload#/metadata/correlation_id"
    );
    let headers = follow(&message["headers"]);
    for name in ["Nats-Msg-Id", "traceparent", "tracestate"] {
        assert!(headers["schema"]["properties"][name].is_object(), "{name}");
    }
    let example = &message["examples"][0];
    assert_eq!(
        example["payload"]["data"]["tree"]["children"][1]["name"],
        "black"
    );
    assert_eq!(
        example["headers"]["Nats-Msg-Id"],
        example["payload"]["event_id"]
    );
    assert_eq!(example["payload"]["source"], "warehouse");
}

#[test]
fn the_document_is_the_same_each_time() {
    let once = asyncapi::render(&shop::catalogue());
    assert_eq!(once, asyncapi::render(&shop::catalogue()));
    assert!(once.starts_with("{\n  \"asyncapi\": \"3.0.0\","));
    assert!(once.ends_with("}\n"));
}

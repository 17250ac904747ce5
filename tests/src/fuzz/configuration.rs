//! Configuration: server URLs, credentials, prefixes, declarations of streams, `check.toml`.

use std::path::Path;
use std::time::Duration;

use event_schemas::check::Settings;
use event_sdk::stream::{Discard, Retention, Storage, StreamSpec};
use event_sdk::transport::nats::{__fuzz::check_options, Nats, NatsOptions};
use futures_util::FutureExt as _;
use serde::Deserialize;

/// The first byte says what the others are.
pub(super) fn run(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    let local = || Nats::options("nats://localhost");
    match choice % 6 {
        0 => connects(&Nats::options(&*text)),
        1 => connects(&local().credentials(&*text)),
        2 => connects(&local().nkey(&*text)),
        3 => {
            connects(&local().inbox_prefix(&*text).name(&*text));
            connects(&local().api_prefix(&*text).domain(&*text));
        }
        4 => declares(bytes),
        _ => {
            if let Err(why) = Settings::parse(&text, Path::new("check.toml")) {
                assert!(why.to_string().starts_with("check.toml:"), "{why}");
            }
        }
    }
}

/// Checks the options, and does not connect.
fn connects(options: &NatsOptions) {
    let checked = check_options(options).now_or_never();
    if let Err(why) = checked.expect("no file is read") {
        assert!(!why.to_string().is_empty());
    }
    let _ = format!("{options:?}");
}

/// A stream as a service may declare it in a file of its own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Declared {
    prefix: String,
    name: String,
    subjects: Vec<String>,
    absolute: Vec<String>,
    messages: Option<u64>,
    per_subject: Option<u64>,
    bytes: Option<u64>,
    age: Option<Duration>,
    size: Option<u64>,
    window: Option<Duration>,
    capacity: Option<usize>,
    replicas: Option<u8>,
    new: bool,
    work_queue: bool,
    in_memory: bool,
}

const DECLARED: &str = r#"{"prefix":"events","name":"ORDERS","subjects":["orders.>"],
"absolute":["legacy.*.created"],"messages":1000,"per_subject":10,"bytes":100000,
"age":{"secs":3600,"nanos":0},"size":1000,"window":{"secs":120,"nanos":5},"capacity":1000,
"replicas":3,"new":true,"work_queue":true,"in_memory":true}"#;

fn declares(bytes: &[u8]) {
    let Ok(declared) = serde_json::from_slice::<Declared>(bytes) else {
        return;
    };
    let mut spec = StreamSpec::new(declared.name);
    for subject in declared.subjects {
        spec = spec.subject(subject);
    }
    for subject in declared.absolute {
        spec = spec.absolute(subject);
    }
    macro_rules! set {
        ($($field:ident: $method:ident),*) => {$(
            if let Some(value) = declared.$field {
                spec = spec.$method(value);
            }
        )*};
    }
    set!(
        messages: max_messages, per_subject: max_messages_per_subject, bytes: max_bytes,
        age: max_age, size: max_message_size, window: duplicate_window,
        capacity: duplicate_capacity, replicas: replicas
    );
    if declared.new {
        spec = spec.when_full(Discard::New);
    }
    if declared.work_queue {
        spec = spec.retention(Retention::WorkQueue);
    }
    if declared.in_memory {
        spec = spec.storage(Storage::Memory);
    }
    match spec.config(&declared.prefix) {
        Ok(config) => assert!(config.check().is_ok(), "{config:?}"),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let credentials = "-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJleHAiOjE3MDAwMDAwMDB9.c2ln\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n------END USER NKEY SEED------\n";
    let settings = "mode = \"FULL_TRANSITIVE\"\ncontent-model = \"tolerant\"\n\n[[waiver]]\nevent = \"orders.order.placed\"\nrule = \"type-narrowed\"\npath = \"total\"\nversion = \"1.1\"\nreason = \"nobody reads it\"\nexpires = 2027-01-31\n";
    [
        "\0nats://one.example:4222,tls://user:pass%2Cword@two.example",
        "\0localhost,[::1]:4222, 127.0.0.1:1",
        "\0nats://token@one",
        &format!("\u{1}{credentials}"),
        "\u{2}SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
        "\u{3}_INBOX.billing",
        "\u{3}$JS.hub.API",
        &format!("\u{4}{DECLARED}"),
        &format!("\u{5}{settings}"),
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

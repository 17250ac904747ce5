//! The events whose fields are mutated.

use std::collections::BTreeMap;

use event_schemas::Catalogue;
use event_schemas::lock::Lock;
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event with its schemas.
#[derive(Clone)]
pub(super) struct Example {
    pub(super) subject: String,
    pub(super) writer: Value,
    pub(super) reader: Value,
}

/// All of them.
pub(super) fn all() -> Vec<Example> {
    let mut all = of_the_examples();
    all.extend(of_every_kind());
    all
}

/// Those that the example programs publish, as their committed contracts have them, which
/// a test of the examples holds against the code.
fn of_the_examples() -> Vec<Example> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/contracts");
    let lock = Lock::read(folder).unwrap();
    let newest = lock.events().iter().map(|event| (event, event.newest()));
    newest
        .map(|(event, version)| Example {
            subject: event.subject().to_owned(),
            writer: version.unwrap().writer().clone(),
            reader: version.unwrap().reader().clone(),
        })
        .collect()
}

/// Events with fields of every kind.
fn of_every_kind() -> Vec<Example> {
    let catalogue = Catalogue::new("Mutations").events_of::<Shipping>();
    let events = catalogue.events().iter();
    events
        .map(|entry| Example {
            subject: entry.spec().subject().to_owned(),
            writer: entry.writer().clone(),
            reader: entry.reader().clone(),
        })
        .collect()
}

#[derive(EventSet)]
#[allow(dead_code, reason = "only its schemas are looked at")]
enum Shipping {
    Sent(ParcelSent),
    Taken(PaymentTaken),
    Read(SensorRead),
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "shipping")]
struct ParcelSent {
    #[event(key)]
    parcel: String,
    weight_grams: u32,
    carrier: Carrier,
    sent_at: jiff::Timestamp,
    note: Option<String>,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Carrier {
    Post,
    Bike,
    Ship,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Line {
    article: String,
    count: u16,
    comment: Option<String>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "shipping")]
struct PaymentTaken {
    payment: uuid::Uuid,
    method: Method,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Method {
    Card { last_digits: String },
    Transfer { iban: String },
    Cash { paid: u32 },
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "shipping")]
struct SensorRead {
    sensor: String,
    celsius: f64,
    healthy: bool,
    labels: BTreeMap<String, String>,
}

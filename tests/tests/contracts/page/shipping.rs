//! Events whose pages are hard to draw: choices within choices, many fields, versions that differ
//! within a variant.

use event_schemas::{Catalogue, Service};
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds a service of the team Logistics, whose events go through no stream.
pub(super) fn add_to(catalogue: Catalogue) -> Catalogue {
    let shipping = Service::new("shipping")
        .owned_by("[Logistics](https://example.com/teams/logistics)")
        .publishes::<ShipmentSent>()
        .publishes::<FormFilled>();
    catalogue.service(shipping).events_of::<ShipmentSentV1>()
}

/// A shipment has left.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(
    domain = "shipping",
    entity = "shipment",
    action = "sent",
    version = "1.0"
)]
struct ShipmentSentV1 {
    speed: Speed,
    way: WayV1,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Speed {
    Slow,
    Fast,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum WayV1 {
    Ship { line: String },
    Road { weight: u32 },
}

/// A shipment has left.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "shipping", version = "2.0", upcast_from = ShipmentSentV1)]
struct ShipmentSent {
    speed: SpeedNow,
    way: Way,
    #[serde(flatten)]
    insurance: Option<Insurance>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Speed")]
enum SpeedNow {
    Slow,
    Fast,
    Express,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "WayV1")]
enum Way {
    Ship {
        line: String,
    },
    Road {
        weight: f64,
        #[serde(flatten)]
        vehicle: Vehicle,
    },
}

/// What carries it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Vehicle {
    Lorry { trailer: bool },
    Bicycle { rider: String },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Insurance {
    Insured { value_cents: u64 },
    SelfInsured { policy: String },
}

impl From<ShipmentSentV1> for ShipmentSent {
    fn from(old: ShipmentSentV1) -> Self {
        Self {
            speed: match old.speed {
                Speed::Slow => SpeedNow::Slow,
                Speed::Fast => SpeedNow::Fast,
            },
            way: match old.way {
                WayV1::Ship { line } => Way::Ship { line },
                WayV1::Road { weight } => Way::Road {
                    weight: weight.into(),
                    vehicle: Vehicle::Lorry { trailer: false },
                },
            },
            insurance: None,
        }
    }
}

/// A form for the customs was filled in.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "customs", entity = "form", action = "filled")]
struct FormFilled {
    sender: Party,
    receiver: Party,
    carrier: Party,
    declarant: Party,
    payer: Party,
    agent: Party,
    goods: Vec<Goods>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Party {
    name: String,
    street: String,
    city: String,
    postcode: String,
    country: String,
    phone: Option<String>,
    tax_number: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Goods {
    code: String,
    weight_grams: u64,
    origin: Party,
    producer: Party,
}

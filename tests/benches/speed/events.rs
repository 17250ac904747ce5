//! Events of the benchmark (about 600 bytes), and hand-written structs of the same shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_sdk::{Event, EventSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A booking was made.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "travel")]
pub(crate) struct BookingMade {
    #[event(key)]
    pub(crate) booking: String,
    pub(crate) passenger: String,
    pub(crate) flights: Vec<Leg>,
    pub(crate) price_cents: u64,
    pub(crate) currency: String,
    pub(crate) refundable: bool,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leg {
    pub(crate) flight: String,
    pub(crate) origin: String,
    pub(crate) destination: String,
    pub(crate) seat: u16,
}

/// A price was quoted: nothing in it needs memory of its own.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "travel")]
pub(crate) struct PriceQuoted {
    pub(crate) flight: u32,
    pub(crate) class: u8,
    pub(crate) cents: u64,
    pub(crate) valid_until: i64,
}

/// What a handler takes without copying it.
#[derive(EventSet)]
#[allow(
    dead_code,
    reason = "a benchmark takes the value and does not look into it"
)]
pub(crate) enum Shared {
    Made(Arc<BookingMade>),
    Quoted(Arc<PriceQuoted>),
}

pub(crate) fn quote() -> PriceQuoted {
    PriceQuoted {
        flight: 1545,
        class: 2,
        cents: 48_250,
        valid_until: 1_762_430_400,
    }
}

pub(crate) fn booking() -> BookingMade {
    let leg = |flight: &str, origin: &str, destination: &str, seat| Leg {
        flight: flight.into(),
        origin: origin.into(),
        destination: destination.into(),
        seat,
    };
    BookingMade {
        booking: "2013-01-01-K7QW2P".into(),
        passenger: "Amelia Mary Earhart".into(),
        flights: vec![
            leg("UA1545", "EWR", "IAH", 117),
            leg("UA1714", "LGA", "IAH", 204),
        ],
        price_cents: 48_250,
        currency: "USD".into(),
        refundable: false,
        note: Some("vegetarian meal, aisle seat if there is one".into()),
    }
}

/// The envelope as a team would write it by hand.
#[derive(Serialize, Deserialize)]
pub(crate) struct ByHand<D> {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) source: String,
    pub(crate) version: String,
    pub(crate) data: D,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The same, borrowing its constants: the best that one writes by hand.
#[derive(Serialize)]
pub(crate) struct ByHandRef<'a, D> {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'a str,
    pub(crate) timestamp: Timestamp,
    pub(crate) source: &'a str,
    pub(crate) version: &'a str,
    pub(crate) data: &'a D,
    pub(crate) metadata: MetadataByHand,
}

#[derive(Serialize)]
pub(crate) struct MetadataByHand {
    pub(crate) correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) causation_id: Option<Uuid>,
}

impl<'a, D> ByHandRef<'a, D> {
    pub(crate) fn new(event_id: Uuid, timestamp: Timestamp, data: &'a D) -> Self {
        Self {
            event_id,
            event_type: "booking.made",
            timestamp,
            source: "bench",
            version: "1.0",
            data,
            metadata: MetadataByHand {
                correlation_id: event_id,
                causation_id: Some(event_id),
            },
        }
    }
}

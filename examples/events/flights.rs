//! Flight events: scheduled, departed, arrived, cancelled.
//!
//! Each carries what another team would otherwise have to look up: who flies,
//! from where to where, and how late. The field `flight` is the same in all
//! events of one flight, and no two flights share it.

use event_sdk::{Event, EventSet};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything that can happen to a flight.
#[derive(Debug, Clone, PartialEq, Eq, EventSet)]
#[event(pattern = "flights.>")]
pub enum FlightEvents {
    /// The flight is in the day's plan.
    Scheduled(FlightScheduled),
    /// The flight has left its gate.
    Departed(FlightDeparted),
    /// The flight has landed.
    Arrived(FlightArrived),
    /// The flight will not leave.
    Cancelled(FlightCancelled),
}

/// A flight is in the plan of a day that begins.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "flights")]
pub struct FlightScheduled {
    /// Names this one flight: local date, carrier and number, origin, and
    /// scheduled local time, as in `2013-01-01-UA1545-EWR-0515`.
    #[event(key)]
    pub flight: String,
    /// The airline's two-character code, as in `UA`.
    pub carrier: String,
    /// The number under which the airline sells the flight, as in `1545`.
    pub flight_number: u16,
    /// The aircraft's registration, where the records have it.
    pub tail_number: Option<String>,
    /// The airport that the flight leaves from, as in `EWR`.
    pub origin: String,
    /// The airport that the flight is bound for, as in `IAH`.
    pub destination: String,
    /// The day of the planned departure, by the origin's calendar.
    pub date: Date,
    /// When the flight is to leave.
    pub scheduled_departure: Timestamp,
    /// When the flight is to arrive, by the clock at its destination.
    pub scheduled_arrival: Time,
    /// The distance between the two airports, in miles.
    pub distance_miles: u32,
}

/// A flight has left its gate.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "flights")]
pub struct FlightDeparted {
    /// Names this one flight, as its schedule does.
    #[event(key)]
    pub flight: String,
    /// The airline's two-character code, as in `UA`.
    pub carrier: String,
    /// The number under which the airline sells the flight, as in `1545`.
    pub flight_number: u16,
    /// The aircraft's registration, where the records have it.
    pub tail_number: Option<String>,
    /// The airport that the flight has left, as in `EWR`.
    pub origin: String,
    /// The airport that the flight is bound for, as in `IAH`.
    pub destination: String,
    /// When the flight left.
    pub departed_at: Timestamp,
    /// Minutes after the planned departure; negative when the flight was early.
    pub delay_minutes: i32,
}

/// A flight has landed.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "flights")]
pub struct FlightArrived {
    /// Names this one flight, as its schedule does.
    #[event(key)]
    pub flight: String,
    /// The airline's two-character code, as in `UA`.
    pub carrier: String,
    /// The number under which the airline sells the flight, as in `1545`.
    pub flight_number: u16,
    /// The airport that the flight came from, as in `EWR`.
    pub origin: String,
    /// The airport that the flight was bound for, as in `IAH`.
    pub destination: String,
    /// When the flight landed, as near as the records tell.
    pub arrived_at: Timestamp,
    /// Minutes after the planned arrival, negative when the flight was early;
    /// absent where the records have none, as for a diverted flight.
    pub delay_minutes: Option<i32>,
    /// Minutes in the air; absent where the records have none.
    pub air_time_minutes: Option<u16>,
    /// The distance between the two airports, in miles.
    pub distance_miles: u32,
}

/// A flight will not leave.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "flights")]
pub struct FlightCancelled {
    /// Names this one flight, as its schedule does.
    #[event(key)]
    pub flight: String,
    /// The airline's two-character code, as in `UA`.
    pub carrier: String,
    /// The number under which the airline sells the flight, as in `1545`.
    pub flight_number: u16,
    /// The airport that the flight was to leave from, as in `EWR`.
    pub origin: String,
    /// The airport that the flight was bound for, as in `IAH`.
    pub destination: String,
    /// When the flight was to leave.
    pub scheduled_departure: Timestamp,
}

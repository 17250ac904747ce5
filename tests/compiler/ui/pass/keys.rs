//! Any field whose type displays is a key, also of a tuple and a generic struct.

use std::fmt;

use event_sdk::{Event, Readable};
use event_sdk::event::KeyUse;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Place {
    row: u8,
    seat: char,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.row, self.seat)
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "flights")]
struct SeatTaken {
    flight: String,
    #[event(key, in_subject)]
    place: Place,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "flights")]
struct SeatLeft(#[event(key)] u64, String);

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "flights")]
struct SeatChanged<K, T> {
    #[event(in_subject, key)]
    r#type: K,
    to: T,
}

fn key<E: Event>(event: &E) -> String {
    event.key().map(ToString::to_string).unwrap_or_default()
}

fn main() {
    let taken = SeatTaken { flight: "UA1545".into(), place: Place { row: 12, seat: 'C' } };
    assert_eq!(key(&taken), "12C");
    assert_eq!(SeatTaken::SPEC.key_use(), KeyUse::InSubject);
    assert_eq!(SeatTaken::SPEC.subject(), "flights.seat.taken");
    assert_eq!(SeatTaken::SPEC.filter(), "flights.seat.taken.*");
    assert_eq!(key(&SeatLeft(7, String::new())), "7");
    assert_eq!(SeatLeft::SPEC.key_use(), KeyUse::Order);
    assert_eq!(SeatLeft::SPEC.filter(), "flights.seat.left");
    assert_eq!(key(&SeatChanged { r#type: 'x', to: vec![1] }), "x");
}

//! Personal data are no key.

use event_sdk::{Event, Pii};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "customers")]
struct CustomerMoved {
    #[event(key)]
    email: Pii<String>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "customers")]
struct CustomerLeft(#[event(key, in_subject)] Option<event_sdk::Pii<String>>);

fn main() {}

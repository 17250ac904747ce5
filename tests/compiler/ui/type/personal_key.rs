//! Personal data under another name are no key either.

use event_sdk::{Event, Pii};
use serde::{Deserialize, Serialize};

type Email = Pii<String>;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "customers")]
struct CustomerMoved {
    #[event(key)]
    email: Email,
}

fn main() {}

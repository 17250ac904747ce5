//! Events of another crate are compared too.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

use event_sdk_test_events::WindowOpened;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", entity = "window", action = "opened")]
struct SashRaised;

#[derive(EventSet)]
enum HouseEvents {
    Opened(WindowOpened),
    Raised(SashRaised),
}

fn main() {}

//! Events of another crate stand in a set of this one, and are sets there.

use event_sdk::{Event, EventSet};
use event_sdk_test_events::{HouseEvents, WINDOWS, WindowOpened, WindowShut};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct DoorSlammed;

#[derive(EventSet)]
#[event(pattern = "house.>")]
enum Noise {
    Opened(WindowOpened),
    Shut(std::sync::Arc<WindowShut>),
    Slammed(DoorSlammed),
}

fn main() {
    assert_eq!(Noise::MEMBERS.len(), 3);
    assert_eq!(HouseEvents::MEMBERS.len(), 2);
    assert_eq!(Noise::MEMBERS[0].subject(), HouseEvents::MEMBERS[0].subject());
    assert_eq!(WINDOWS.as_str(), "house.window.>");
}

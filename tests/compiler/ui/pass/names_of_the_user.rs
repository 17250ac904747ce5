//! Whatever the user has by that name, a payload or an older event names that.

use event_sdk::{Event, EventSet, Visit, Visitor};
use serde::{Deserialize, Serialize};

const MEMBERS: usize = 1;
const PATTERN: usize = 2;
const TABLE: usize = 3;
const SPEC: usize = 4;
const PREVIOUS: usize = 5;

const fn check() -> usize {
    6
}

type Option = ();
type Result = ();
mod core {}
mod std {}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", entity = "room", action = "counted")]
struct CountedV1<const N: usize>;

#[derive(Event, Serialize, Deserialize)]
#[event(
    domain = "house",
    entity = "room",
    action = "counted",
    version = "2.0",
    upcast_from = CountedV1<{ SPEC + PREVIOUS }>
)]
struct RoomCounted;

impl From<CountedV1<9>> for RoomCounted {
    fn from(_: CountedV1<9>) -> Self {
        Self
    }
}

#[derive(EventSet)]
#[event(pattern = "house.>")]
#[allow(dead_code)]
enum Rooms {
    Counted(CountedV1<{ MEMBERS + PATTERN + TABLE + check() }>),
}

/// Two events that are called as parameters of the derive could be.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct SdkVisitor;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct SdkEvent;

#[derive(EventSet)]
#[allow(dead_code)]
enum Sdk {
    Visitor(SdkVisitor),
    Event(SdkEvent),
}

struct Subjects(Vec<&'static str>);

impl<E: Event> Visitor<E> for Subjects {
    fn visit(&mut self) {
        self.0.push(E::SPEC.subject());
    }
}

fn main() {
    assert_eq!(Rooms::MEMBERS[0].subject(), "house.room.counted");
    let mut subjects = Subjects(Vec::new());
    Sdk::visit_all(&mut subjects);
    assert_eq!(subjects.0, ["house.sdk.visitor", "house.sdk.event"]);
}

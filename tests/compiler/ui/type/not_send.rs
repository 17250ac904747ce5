//! An event goes to other threads.

use std::rc::Rc;

use event_sdk::Event;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

struct Shared(Rc<u8>);

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|number| Self(Rc::new(number)))
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    item: Shared,
}

fn main() {}

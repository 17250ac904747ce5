//! A visitor may ask more of the events than that they are.

use event_sdk::{Event, EventSet, Visit, Visitor};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
}

trait Described {}

struct Describe;

impl<E: Event + Described> Visitor<E> for Describe {
    fn visit(&mut self) {}
}

fn main() {
    OrderEvents::visit_all(&mut Describe);
}

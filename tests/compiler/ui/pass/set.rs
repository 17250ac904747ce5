//! A set has its events, their `Arc`s, and what it does not know.

use std::sync::Arc;

use event_sdk::{Contains, Event, EventSet, RawEvent, Visit, Visitor};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderChanged<T> {
    to: T,
}

#[derive(EventSet)]
#[event(pattern = "orders.order.>")]
enum OrderEvents {
    /// The variants may have any attributes.
    Placed(OrderPlaced),
    #[allow(dead_code)]
    Paid(Arc<OrderPaid>),
    Changed(std::sync::Arc<OrderChanged<(u8, String)>>),
    #[event(other)]
    Other(RawEvent),
}

#[derive(EventSet)]
enum Two {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum Anything {
    #[event(other)]
    Any(RawEvent),
}

fn contains<S: Contains<E>, E: Event>() {}

struct Names(Vec<&'static str>);

impl<E: Event> Visitor<E> for Names {
    fn visit(&mut self) {
        self.0.push(E::SPEC.name());
    }
}

fn names<S: Visit<Names>>() -> Vec<&'static str> {
    let mut names = Names(Vec::new());
    S::visit_all(&mut names);
    names.0
}

fn main() {
    assert_eq!(OrderEvents::MEMBERS.len(), 3);
    assert_eq!(OrderEvents::MEMBERS[1].subject(), "orders.order.paid");
    assert_eq!(OrderEvents::PATTERN, Some("orders.order.>"));
    assert!(OrderEvents::TAKES_OTHER);
    assert_eq!(Two::PATTERN, None);
    assert!(!Two::TAKES_OTHER);
    assert!(Anything::MEMBERS.is_empty());
    contains::<OrderEvents, OrderPlaced>();
    contains::<OrderEvents, OrderPaid>();
    contains::<OrderEvents, OrderChanged<(u8, String)>>();
    contains::<OrderPlaced, OrderPlaced>();
    contains::<Arc<OrderPlaced>, OrderPlaced>();
    assert_eq!(names::<OrderEvents>(), ["OrderPlaced", "OrderPaid", "OrderChanged"]);
    assert_eq!(names::<Two>(), ["OrderPlaced", "OrderPaid"]);
    assert_eq!(names::<Anything>(), [""; 0]);
    assert!(matches!(Two::from(OrderPlaced { id: 1 }), Two::Placed(_)));
    assert!(matches!(Arc::new(OrderPaid { id: 1 }).into(), OrderEvents::Paid(_)));
}

//! Events and sets that a `macro_rules!` writes, and attributes under conditions.

use event_sdk::{Event, EventSet, Readable};
use serde::{Deserialize, Serialize};

macro_rules! event {
    ($(#[$meta:meta])* $name:ident, $domain:literal, $doc:expr, $key:ident: $ty:ty) => {
        $(#[$meta])*
        #[derive(Event, Serialize, Deserialize)]
        #[event(domain = $domain)]
        #[doc = $doc]
        pub struct $name {
            #[event(key, in_subject)]
            $key: $ty,
        }
    };
}

event! {
    /// A first paragraph.
    ///
    /// A second one.
    OrderPlaced, "orders", concat!("For ", stringify!(OrderPlaced), "."), r#type: String
}

macro_rules! set {
    ($name:ident { $($variant:ident($ty:ty)),* } $pattern:expr) => {
        #[derive(EventSet)]
        #[event(pattern = $pattern)]
        #[allow(dead_code)]
        enum $name {
            $($variant($ty)),*
        }
    };
}

set!(r#type { r#match(OrderPlaced), Paid(std::sync::Arc<OrderPaid>) } "orders.>");

mod sdk {
    pub use event_sdk as reexported;
}

macro_rules! elsewhere {
    ($name:ident) => {
        #[derive(event_sdk::Event, serde::Serialize, serde::Deserialize)]
        #[event(crate = $crate::sdk::reexported)]
        #[cfg_attr(all(), event(domain = "orders"))]
        #[cfg_attr(any(), event(domain = "nowhere"))]
        pub struct $name {
            #[cfg_attr(all(), event(key))]
            id: u8,
            #[cfg(any())]
            #[event(key)]
            gone: u8,
        }
    };
}

mod elsewhere {
    elsewhere!(OrderPaid);
}
use elsewhere::OrderPaid;

fn main() {
    let description = "A first paragraph.\n\nA second one.\nFor OrderPlaced.";
    assert_eq!(OrderPlaced::SPEC.description(), description);
    assert_eq!(OrderPaid::SPEC.subject(), "orders.order.paid");
    assert_eq!(<r#type as EventSet>::MEMBERS.len(), 2);
}

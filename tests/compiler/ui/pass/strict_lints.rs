//! What the derives write passes the lints of the crate that uses them.

#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, unused, nonstandard_style)]
#![deny(deprecated, elided_lifetimes_in_paths, single_use_lifetimes, trivial_casts, let_underscore)]
#![forbid(unsafe_code)]
#![no_implicit_prelude]

use ::event_sdk::EventSet;

mod events {
    use ::event_sdk::{Event, EventSet, RawEvent};
    use ::serde::{Deserialize, Serialize};
    use ::std::convert::From;
    use ::std::string::String;

    /// An order was placed.
    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", entity = "order", action = "placed")]
    #[deprecated(note = "use OrderPlaced")]
    pub(crate) struct OrderPlacedV1 {
        id: u32,
    }

    /// An order was placed.
    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", version = "2.0", upcast_from = OrderPlacedV1)]
    pub(crate) struct OrderPlaced {
        #[event(key)]
        id: ::std::string::String,
    }

    #[allow(deprecated)]
    impl From<OrderPlacedV1> for OrderPlaced {
        fn from(old: OrderPlacedV1) -> Self {
            Self { id: ::std::string::ToString::to_string(&old.id) }
        }
    }

    /// An order was paid.
    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders")]
    #[deprecated]
    pub(crate) struct OrderPaid {
        #[event(key)]
        #[deprecated]
        id: String,
    }

    /// What happens to orders.
    #[derive(EventSet)]
    #[event(pattern = "orders.>")]
    #[allow(dead_code)]
    pub(crate) enum OrderEvents {
        /// Placed.
        Placed(OrderPlaced),
        /// Paid.
        #[allow(deprecated)]
        #[deprecated]
        Paid(::std::sync::Arc<OrderPaid>),
        /// Anything else.
        #[event(other)]
        Other(RawEvent),
    }
}

fn main() {
    ::std::assert_eq!(events::OrderEvents::MEMBERS.len(), 2);
}

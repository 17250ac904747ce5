//! Events and sets can be declared in a function and by a macro.

use event_sdk::{Event, EventSet, Readable};
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($domain:literal: $($name:ident($key:ident: $ty:ty) in $set:ident;)*) => {
        $(
            #[derive(Event, Serialize, Deserialize)]
            #[event(domain = $domain)]
            struct $name {
                #[event(key)]
                $key: $ty,
            }
        )*
    };
}

macro_rules! set {
    ($name:ident: $pattern:literal { $($variant:ident($event:ty),)* }) => {
        #[derive(EventSet)]
        #[event(pattern = $pattern)]
        enum $name {
            $($variant($event),)*
        }
    };
}

macro_rules! versions {
    ($old:ty => $new:ident) => {
        #[derive(Event, Serialize, Deserialize)]
        #[event(domain = "orders", entity = "order", action = "placed", version = "2.0", upcast_from = $old)]
        struct $new(u64);

        impl From<$old> for $new {
            fn from(old: $old) -> Self {
                Self(old.id)
            }
        }
    };
}

pub mod sdk {
    pub use event_sdk::*;
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", entity = "door", action = "shut")]
pub struct DoorShutV1;

macro_rules! from_here {
    () => {
        #[derive(Event, Serialize, Deserialize)]
        #[event(crate = $crate::sdk, domain = "house", version = "2.0", upcast_from = $crate::DoorShutV1)]
        struct DoorShut;

        impl From<$crate::DoorShutV1> for DoorShut {
            fn from(_: $crate::DoorShutV1) -> Self {
                Self
            }
        }

        #[derive(EventSet)]
        #[event(crate = $crate::sdk)]
        enum Old {
            Shut($crate::DoorShutV1),
        }
        assert_eq!(Old::MEMBERS.len(), 1);
        assert_eq!(DoorShut::SPEC.version().major(), 2);
        assert_eq!($crate::sdk::subject!(crate = $crate::sdk, "a.*").as_str(), "a.*");
    };
}

fn main() {
    from_here!();
    events! { "orders": OrderPlaced(id: u64) in Orders; OrderPaid(order: String) in Orders; }
    set! { Orders: "orders.>" { Placed(OrderPlaced), Paid(std::sync::Arc<OrderPaid>), } }
    versions! { OrderPlaced => NewOrder }
    assert_eq!(Orders::MEMBERS.len(), 2);
    assert_eq!(OrderPlaced { id: 3 }.key().unwrap().to_string(), "3");
    assert_eq!(NewOrder::SPEC.version().major(), 2);

    // Names that the derives use inside mean nothing to them outside.
    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", action = "lost")]
    struct SdkVisitor;
    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", entity = "order", action = "found")]
    struct Option;
    #[derive(EventSet)]
    enum Result {
        Ok(Option),
    }
    assert_eq!(Result::MEMBERS.len(), 1);
    assert_eq!(SdkVisitor::SPEC.subject(), "orders.sdk.lost");
}

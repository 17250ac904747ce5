//! `crate = …` says where the SDK is.

extern crate event_sdk as renamed;

mod reexport {
    pub use ::event_sdk as sdk;
}

mod events {
    use renamed::Event;
    use serde::{Deserialize, Serialize};

    #[derive(Event, Serialize, Deserialize)]
    #[event(crate = renamed, domain = "orders")]
    pub struct OrderPlaced;

    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", crate = super::reexport::sdk)]
    pub struct OrderPaid;

    #[derive(Event, Serialize, Deserialize)]
    #[event(domain = "orders", crate = event_sdk_core)]
    pub struct OrderSent;
}

#[derive(renamed::EventSet)]
#[event(crate = crate::reexport::sdk, pattern = "orders.>")]
enum OrderEvents {
    Placed(events::OrderPlaced),
    Paid(events::OrderPaid),
    Sent(events::OrderSent),
}

fn main() {
    use renamed::EventSet as _;
    assert_eq!(OrderEvents::MEMBERS.len(), 3);
    let pattern = renamed::subject!(crate = self::reexport::sdk, "orders.>");
    assert_eq!(pattern.as_str(), "orders.>");
}

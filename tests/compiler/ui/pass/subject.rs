//! Patterns can stand in constants.

use event_sdk::{Pattern, subject};

const PLACED: Pattern = subject!("orders.*.placed");
static ALL: Pattern = subject!(crate = ::event_sdk, ">",);

fn main() {
    assert_eq!(PLACED.as_str(), "orders.*.placed");
    assert_eq!(ALL, Pattern::everything());
    assert!(ALL.covers(&subject!("Orders.Größe.>")));
}

//! A pattern is a text that is written there.

use event_sdk::subject;

const PATTERN: &str = "orders.>";

fn main() {
    let _ = subject!(PATTERN);
    let _ = subject!();
    let _ = subject!("orders.>", "billing.>");
    let _ = subject!(crate = event_sdk);
    let _ = subject!(crate = "event_sdk", "orders.>");
}

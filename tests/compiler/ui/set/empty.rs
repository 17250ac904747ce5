//! A set has events.

use event_sdk::EventSet;

#[derive(EventSet)]
enum OrderEvents {}

fn main() {}

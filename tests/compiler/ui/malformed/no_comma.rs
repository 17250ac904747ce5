//! Keys are separated by commas.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders" entity = "order")]
struct OrderPlaced;

fn main() {}

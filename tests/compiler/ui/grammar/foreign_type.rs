//! The type of an event whose whole subject is written out is nearly any text.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "tx.created", type = "")]
struct Empty;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "tx.created", type = "tx\ncreated")]
struct TwoLines;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "tx.created", type = "com.example/\u{202e}xT")]
struct Turned;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "tx", type = "com.example/Tx")]
struct TxCreated;

fn main() {}

//! A whole subject obeys NATS's grammar.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.*", type = "transaction.created")]
struct Wildcard;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions created", type = "transaction.created")]
struct Space;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.", type = "transaction.created")]
struct Empty;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.\u{7}bell", type = "transaction.created")]
struct Bell;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "$JS.API.INFO", type = "api.asked")]
struct Reserved;

fn main() {}

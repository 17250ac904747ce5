//! A subject has no character that nobody sees: it would never arrive.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.no\u{a0}break", type = "transaction.created")]
struct NoBreakSpace;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "transactions.\u{3000}", type = "transaction.created")]
struct IdeographicSpace;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.a\u{9b}31m", type = "transaction.created")]
struct ControlSequence;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "transactions.\u{202e}detaerc", type = "transaction.created")]
struct RightToLeft;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "transactions\u{200b}")]
struct ZeroWidth;

fn main() {
    let _ = event_sdk::subject!("orders.\u{2028}.*");
}

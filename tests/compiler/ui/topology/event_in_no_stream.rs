//! No stream stores an event of a set: `*` stands for one token.

use event_sdk::Event;
use event_sdk::stream::StreamSpec;
use event_sdk_topology::{Topology, covers};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "clearing", entity = "window", action = "opened")]
struct WindowOpened {
    id: u64,
}

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("CLEARING", &["clearing.*"])];
covers!(Topology::new(STREAMS), WindowOpened);

fn main() {}

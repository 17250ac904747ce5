//! A consumer reads a copy that has its events under another prefix alone.

use event_sdk::Event;
use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{DurableSpec, Topology, covers};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("ALL", &[])
        .sources(&[Upstream::of("ORDERS").domain("eu").moved_to("eu.events")]),
];
const CONSUMERS: &[DurableSpec] = &[DurableSpec::of::<OrderPlaced>("billing").stream("ALL")];
covers!(Topology::new(STREAMS).consumers(CONSUMERS));

fn main() {}

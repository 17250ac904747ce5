//! Two streams copy each other's events under other prefixes, which a server refuses.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("EU", &["eu.>"]).sources(&[Upstream::of("US").moved_to("of.us")]),
    StreamSpec::constant("US", &["us.>"]).sources(&[Upstream::of("EU").moved_to("of.eu")]),
];
covers!(Topology::new(STREAMS));

fn main() {}

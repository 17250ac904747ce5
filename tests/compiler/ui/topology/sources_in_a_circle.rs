//! Three streams copy from each other.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("EU", &["eu.>"]).sources(&[Upstream::of("US")]),
    StreamSpec::constant("US", &["us.>"]).sources(&[Upstream::of("ALL").filter("eu.>")]),
    StreamSpec::constant("ALL", &[]).sources(&[Upstream::of("EU")]),
];
covers!(Topology::new(STREAMS));

fn main() {}

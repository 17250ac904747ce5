//! A consumer reads a stream that is not declared.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{DurableSpec, Topology, covers};

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("RISK", &["risk.>"])];
const CONSUMERS: &[DurableSpec] = &[DurableSpec::matching("limits", "RISKS", "risk.>")];
covers!(Topology::new(STREAMS).consumers(CONSUMERS));

fn main() {}

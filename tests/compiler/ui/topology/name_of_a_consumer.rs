//! The name of a consumer has a dot.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{DurableSpec, Topology, covers};

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("RISK", &["risk.>"])];
const CONSUMERS: &[DurableSpec] = &[DurableSpec::matching("risk.limits", "RISK", "risk.>")];
covers!(Topology::new(STREAMS).consumers(CONSUMERS));

fn main() {}

//! A dead-letter stream has the name of another stream.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{DeadLetterSpec, Topology, covers};

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("RISK", &["risk.>"])];
const LETTERS: &[DeadLetterSpec] = &[DeadLetterSpec::new("RISK", "RISK_RETRY")];
covers!(Topology::new(STREAMS).dead_letters(LETTERS));

fn main() {}

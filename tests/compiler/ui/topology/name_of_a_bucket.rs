//! The name of the bucket has a blank.

use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("RISK", &["risk.>"])];
const BUCKET: BucketConfig = BucketConfig::constant("risk state");
covers!(Topology::new(STREAMS).bucket(&BUCKET));

fn main() {}

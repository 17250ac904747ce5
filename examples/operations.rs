//! The operations command line for the events of the examples: `cargo xtask events`.

use std::process::ExitCode;

use event_sdk::stream::StreamSpec;
use event_sdk_examples::events::flights::FlightEvents;
use event_sdk_examples::events::jobs::Everything;
use event_sdk_ops::Operations;
use event_sdk_topology::{Topology, covers};

/// The streams of quickstart and jobs.
const EXAMPLES: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("FLIGHTS", &["flights.>"]),
            StreamSpec::constant("JOBS", &["job.>", "log.>", "pipeline.>", "worker.>"]),
        ]
    },
);
covers!(EXAMPLES, FlightEvents, Everything);

#[tokio::main]
async fn main() -> ExitCode {
    let operations = Operations::new("events")
        .topology(EXAMPLES)
        .events::<FlightEvents>()
        .events::<Everything>();
    event_sdk_ops::run(&operations).await
}

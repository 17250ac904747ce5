//! Catalogue of the examples: which service publishes and consumes which events.
//!
//! `contracts/` has what `cargo xtask schemas generate` makes of it.

use std::time::Duration;

use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::stream::StreamSpec;
use jiff::Timestamp;
use jiff::civil::{date, time};

use crate::events::flights::{FlightDeparted, FlightEvents, FlightScheduled};
use crate::events::jobs::{
    Everything, JobCancelled, JobFailed, JobScheduled, LogChunkReceived, PipelineCompleted,
    PipelineStarted, Planned, Progress, Worked,
};

/// The catalogue.
#[must_use]
pub fn catalogue() -> Catalogue {
    flights(jobs(Catalogue::new("Examples").describe(
        "The events of the example programs: flights, and pipelines of jobs.",
    )))
    .stream(StreamSpec::new("FLIGHTS").subject("flights.>"))
    .stream(
        StreamSpec::new("JOBS")
            .subject("job.>")
            .subject("log.>")
            .subject("pipeline.>")
            .subject("worker.>"),
    )
}

/// What quickstart does.
fn flights(catalogue: Catalogue) -> Catalogue {
    let announcer = Service::new("announcer")
        .describe("Announces what happens to flights, from the records of an airport.")
        .publishes::<FlightEvents>();
    let board = Service::new("board")
        .describe("Shows which flights are late.")
        .consumes(Consumer::of::<FlightEvents>("board"));
    let summary = Service::new("summary")
        .describe("Counts flights by carrier and by airport.")
        .consumes(Consumer::of::<FlightEvents>("summary"));
    catalogue
        .service(announcer)
        .service(board)
        .service(summary)
        .example(FlightScheduled {
            flight: FLIGHT.to_owned(),
            carrier: "UA".to_owned(),
            flight_number: 1545,
            tail_number: Some("N14228".to_owned()),
            origin: "EWR".to_owned(),
            destination: "IAH".to_owned(),
            date: date(2013, 1, 1),
            scheduled_departure: at(1_357_035_300),
            scheduled_arrival: time(8, 19, 0, 0),
            distance_miles: 1400,
        })
        .example(FlightDeparted {
            flight: FLIGHT.to_owned(),
            carrier: "UA".to_owned(),
            flight_number: 1545,
            tail_number: Some("N14228".to_owned()),
            origin: "EWR".to_owned(),
            destination: "IAH".to_owned(),
            departed_at: at(1_357_035_420),
            delay_minutes: 2,
        })
}

/// What jobs does.
fn jobs(catalogue: Catalogue) -> Catalogue {
    let planner = Service::new("planner")
        .describe("Plans pipelines of jobs, and cancels jobs.")
        .publishes::<Planned>();
    let worker = Service::new("worker")
        .describe("Does jobs, as one of a group.")
        .publishes::<Worked>()
        .consumes(
            Consumer::of::<JobScheduled>("workers")
                .describe("All workers share it: each job is for one of them.")
                .ack_wait(Duration::from_secs(5)),
        )
        .consumes(Consumer::ephemeral::<JobCancelled>());
    let coordinator = Service::new("coordinator")
        .describe("Follows pipelines to their ends.")
        .publishes::<PipelineStarted>()
        .publishes::<PipelineCompleted>()
        .consumes(Consumer::ephemeral::<Progress>());
    let ledger = Service::new("ledger")
        .describe("Keeps account of everything that happens.")
        .consumes(Consumer::ephemeral::<Everything>());
    catalogue
        .service(planner)
        .service(worker)
        .service(coordinator)
        .service(ledger)
        .example(JobScheduled {
            job: "t5kzzz.3.2".to_owned(),
            pipeline: "t5kzzz.3".to_owned(),
            command: "cargo test".to_owned(),
            work_ms: 40,
        })
        .example(JobFailed {
            job: "t5kzzz.3.2".to_owned(),
            pipeline: "t5kzzz.3".to_owned(),
            worker: "t5kzzz.worker-1".to_owned(),
            reason: "exit code 101".to_owned(),
        })
        .example(LogChunkReceived {
            job: "t5kzzz.3.2".to_owned(),
            data: b"test result: FAILED\n\x1b[0m\xff".to_vec(),
        })
}

const FLIGHT: &str = "2013-01-01-UA1545-EWR-0515";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use event_schemas::lock::{Lock, Options, drift};
    use event_schemas::sources;

    use super::catalogue;

    /// This package's folder.
    fn here() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn the_committed_contracts_are_as_the_code_says() {
        let folder = here().join("contracts");
        let differs = drift(&catalogue(), &folder, &Options::default()).unwrap();
        assert!(
            differs.is_empty(),
            "run `cargo xtask schemas generate`: {differs:?}"
        );
        let faults = Lock::read(folder).unwrap().golden_faults(&catalogue());
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn every_event_is_in_the_catalogue() {
        let sources = sources::scan(here().join("lib.rs")).unwrap();
        assert_eq!(sources.events().len(), 19);
        let problems = sources.problems(&catalogue());
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

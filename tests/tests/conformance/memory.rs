//! The suite on the memory transport: direct, boxed, with hand-over.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamConfig;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Capability, Transport};
use event_sdk_conformance::{Harness, HarnessError, Report, Suite, Verdict};

/// All cases, with time for a machine that is busy.
pub(crate) fn patient() -> Suite {
    Suite::new()
        .ack_wait(Duration::from_secs(2))
        .patience(Duration::from_mins(1))
        .timeout(Duration::from_mins(5))
}

/// A memory transport with these streams.
pub(crate) fn start(
    streams: Vec<StreamConfig>,
    hand_over: bool,
) -> Result<MemoryTransport, HarnessError> {
    let mut builder = MemoryTransport::builder().hand_over(hand_over);
    for stream in streams {
        builder = builder.stream(stream);
    }
    Ok(builder.build()?)
}

/// Two memory transports to the same streams.
pub(crate) fn start_two(
    streams: Vec<StreamConfig>,
    hand_over: bool,
) -> Result<[MemoryTransport; 2], HarnessError> {
    let first = start(streams, hand_over)?;
    let second = first.connect()?;
    Ok([first, second])
}

struct Plain;

impl Harness for Plain {
    type Transport = MemoryTransport;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<MemoryTransport, HarnessError> {
        start(streams, false)
    }

    async fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> Result<[MemoryTransport; 2], HarnessError> {
        start_two(streams, false)
    }
}

struct HandingOver;

impl Harness for HandingOver {
    type Transport = MemoryTransport;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<MemoryTransport, HarnessError> {
        start(streams, true)
    }

    async fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> Result<[MemoryTransport; 2], HarnessError> {
        start_two(streams, true)
    }
}

struct Boxed;

impl Harness for Boxed {
    type Transport = Box<dyn Transport>;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Box<dyn Transport>, HarnessError> {
        Ok(Box::new(start(streams, true)?))
    }

    async fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> Result<[Box<dyn Transport>; 2], HarnessError> {
        Ok(start_two(streams, true)?.map(|side| Box::new(side) as Box<dyn Transport>))
    }
}

struct Shared;

impl Harness for Shared {
    type Transport = Arc<dyn Transport>;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Arc<dyn Transport>, HarnessError> {
        Ok(Arc::new(start(streams, true)?))
    }

    async fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> Result<[Arc<dyn Transport>; 2], HarnessError> {
        Ok(start_two(streams, true)?.map(|side| Arc::new(side) as Arc<dyn Transport>))
    }
}

/// What streams of the process lack.
const OF_SERVERS: [Capability; 4] = [
    Capability::Copies,
    Capability::PromoteMirror,
    Capability::Placement,
    Capability::ChangeRetention,
];

/// Everything passed, except what needs one of these.
fn assert_all_but(report: &Report, lacks: &[Capability]) {
    report.assert_all_passed();
    for result in report.results() {
        let missing: Vec<_> = lacks
            .iter()
            .copied()
            .filter(|capability| result.case.needs().contains(capability))
            .collect();
        let verdict = match missing[..] {
            [] => Verdict::Passed,
            _ => Verdict::Unsupported(missing),
        };
        assert_eq!(result.verdict, verdict, "{result}");
    }
    assert_eq!(
        report.results().len(),
        event_sdk_conformance::cases().count()
    );
}

/// Everything passed.
fn assert_everything(report: &Report) {
    assert_all_but(report, &OF_SERVERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_by_itself() {
    let lacks = [&OF_SERVERS[..], &[Capability::ValueHandover]].concat();
    assert_all_but(&patient().run(Plain).await, &lacks);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_hands_values_over() {
    assert_everything(&patient().run(HandingOver).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_in_a_box() {
    assert_everything(&patient().run(Boxed).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_in_an_arc() {
    assert_everything(&patient().run(Shared).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_under_stress() {
    let report = patient()
        .only(["stress", "delivering", "publishing", "sharing"])
        .unwrap()
        .stress(10)
        .run(HandingOver)
        .await;
    assert_eq!(report.unsupported().count(), 0, "{report}");
    report.assert_all_passed();
}

#[test]
fn the_suite_is_large_and_its_names_are_distinct() {
    let mut names: Vec<_> = event_sdk_conformance::cases()
        .map(|case| case.name())
        .collect();
    assert!(names.len() >= 150, "{} cases", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), event_sdk_conformance::cases().count());
}

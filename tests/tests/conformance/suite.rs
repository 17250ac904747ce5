//! The suite itself: selection, timeouts, failing harnesses, reports.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::stream::StreamConfig;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk_conformance::{Harness, HarnessError, Suite, Verdict, cases};

use crate::sabotage::{Broken, Sabotage, Saboteur};

#[test]
fn cases_are_chosen_by_name_and_by_area() {
    let error = Suite::new().only(["history", "no_such_case"]).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("\"no_such_case\""), "{message}");
    assert!(
        message.contains("publishing, payload, deduplication"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_chosen_is_run_in_the_order_of_the_suite() {
    let report = Suite::new()
        .only(["state", "no_stream_is_an_error"])
        .unwrap()
        .run(Saboteur(Sabotage::Nothing))
        .await;
    let run: Vec<_> = report
        .results()
        .iter()
        .map(|result| result.case.name())
        .collect();
    let wanted: Vec<_> = cases()
        .filter(|case| case.area() == "state" || case.name() == "no_stream_is_an_error")
        .map(|case| case.name())
        .collect();
    assert_eq!(run, wanted);
    assert_eq!(run[0], "no_stream_is_an_error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_was_promised_and_what_was_found() {
    let report = Suite::new()
        .only(["no_stream_is_an_error", "empty_body_survives"])
        .unwrap()
        .run(Saboteur(Sabotage::ConfirmsWhatNoStreamStores))
        .await;
    let (short, long) = (report.to_string(), format!("{report:#}"));
    let promise = report
        .result("no_stream_is_an_error")
        .unwrap()
        .case
        .promise();
    for text in [&short, &long] {
        assert!(
            text.contains("1 passed, 0 unsupported as declared, 1 failed of 2"),
            "{text}"
        );
        assert!(
            text.contains("FAILED       publishing/no_stream_is_an_error"),
            "{text}"
        );
        assert!(text.contains(promise), "{text}");
        assert!(text.contains("was stored: Stored"), "{text}");
        assert!(text.contains("rig.rs:"), "{text}");
    }
    assert!(!short.contains("empty_body_survives"), "{short}");
    assert!(
        long.contains("passed       payload/empty_body_survives"),
        "{long}"
    );
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| report.assert_all_passed()));
    let message = panic.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(*message, short);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_and_a_hang_are_failures_of_their_cases_alone() {
    for (sabotage, found) in [
        (Sabotage::Panics, "it panicked: asked for streams"),
        (
            Sabotage::Hangs,
            "the streams for a pattern did not come within",
        ),
    ] {
        let report = Suite::new()
            .only(["state"])
            .unwrap()
            .patience(Duration::from_secs(3))
            .run(Saboteur(sabotage))
            .await;
        let failed: Vec<_> = report.failed().collect();
        assert_eq!(failed.len(), 1, "{report}");
        assert_eq!(failed[0].case.name(), "streams_are_found_by_subject");
        let Verdict::Failed(why) = &failed[0].verdict else {
            unreachable!("{report}")
        };
        assert!(why.contains(found), "{why}");
    }
}

/// Something that goes wrong while a transport is started.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Fails,
    Panics,
    Hangs,
}

impl Harness for Start {
    type Transport = MemoryTransport;

    async fn start(&self, _: Vec<StreamConfig>) -> Result<MemoryTransport, HarnessError> {
        match self {
            Self::Fails => Err("the server is not there".into()),
            Self::Panics => panic!("no server at all"),
            Self::Hangs => std::future::pending().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transport_that_does_not_start_fails_every_case() {
    for (start, why) in [
        (
            Start::Fails,
            "the harness could not start it: the server is not there",
        ),
        (Start::Panics, "it panicked: no server at all"),
        (
            Start::Hangs,
            "the start of a transport did not come within 200ms",
        ),
    ] {
        let report = Suite::new()
            .only(["state"])
            .unwrap()
            .patience(Duration::from_millis(200))
            .run(start)
            .await;
        assert_eq!(report.failed().count(), report.results().len());
        for result in report.results() {
            let Verdict::Failed(found) = &result.verdict else {
                unreachable!("{report}")
            };
            assert!(found.contains(why), "{found}");
        }
    }
}

/// Counts what it starts and stops.
#[derive(Clone)]
struct Counting {
    sabotage: Sabotage,
    /// How many may be started.
    limit: usize,
    started: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Counting {
    fn new(sabotage: Sabotage) -> Self {
        Self {
            sabotage,
            limit: usize::MAX,
            started: Arc::default(),
            running: Arc::default(),
            most: Arc::default(),
        }
    }
}

impl Harness for Counting {
    type Transport = Broken<MemoryTransport>;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Self::Transport, HarnessError> {
        if self.started.fetch_add(1, Ordering::SeqCst) == self.limit {
            return Err("there is no room for another".into());
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        Saboteur(self.sabotage).start(streams).await
    }

    async fn stop(&self, _: &Self::Transport, _: &[StreamConfig]) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_started_is_stopped_however_its_case_ended() {
    for sabotage in [Sabotage::Nothing, Sabotage::Panics, Sabotage::Hangs] {
        let counting = Counting::new(sabotage);
        Suite::new()
            .only(["state"])
            .unwrap()
            .timeout(Duration::from_millis(500))
            .run(counting.clone())
            .await;
        assert!(counting.started.load(Ordering::SeqCst) > 5, "{sabotage:?}");
        assert_eq!(counting.running.load(Ordering::SeqCst), 0, "{sabotage:?}");
    }
}

/// A harness that does not say how to start two starts twice.
#[tokio::test(flavor = "multi_thread")]
async fn both_of_two_are_stopped_and_so_is_the_first_without_a_second() {
    // One is started to see what it can do.
    for (limit, started) in [(usize::MAX, 3), (2, 3)] {
        let counting = Counting {
            limit,
            ..Counting::new(Sabotage::Nothing)
        };
        let report = Suite::new()
            .only(["the_unread_goes_to_others_at_once"])
            .unwrap()
            .patience(Duration::from_millis(300))
            .run(counting.clone())
            .await;
        // The second has no messages of the first, or is not there.
        let failed: Vec<_> = report.failed().map(ToString::to_string).collect();
        let why = failed.join(" ");
        assert_eq!(why.contains("no room for another"), limit == 2, "{why}");
        assert_eq!(failed.len(), 1, "{report}");
        assert_eq!(counting.started.load(Ordering::SeqCst), started);
        assert_eq!(counting.running.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_cases_run_at_once_than_allowed() {
    for parallel in [1, 3] {
        let counting = Counting::new(Sabotage::Nothing);
        let report = Suite::new()
            .only(["publishing"])
            .unwrap()
            .parallel(parallel)
            .run(counting.clone())
            .await;
        report.assert_all_passed();
        let most = counting.most.load(Ordering::SeqCst);
        assert!(
            most <= parallel,
            "{most} ran at once, {parallel} were allowed"
        );
    }
}

#[test]
fn fresh_names_are_names_and_fresh() {
    let names: std::collections::BTreeSet<_> = (0..1000)
        .map(|_| Saboteur(Sabotage::Nothing).fresh_name())
        .collect();
    assert_eq!(names.len(), 1000);
    for name in names {
        assert!(name.len() <= 40, "{name}");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{name}"
        );
    }
}

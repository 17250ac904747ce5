//! The conformance suite through the wrapper with all rates at zero.

use event_sdk::stream::StreamConfig;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk_conformance::{Harness, HarnessError, Verdict};
use event_sdk_testing::{Faults, FaultyTransport, Rates};

struct Quiet;

fn start(streams: Vec<StreamConfig>) -> Result<MemoryTransport, HarnessError> {
    let mut builder = MemoryTransport::builder().hand_over(true);
    for stream in streams {
        builder = builder.stream(stream);
    }
    Ok(builder.build()?)
}

fn quiet() -> Faults {
    Faults::from_seed(1).rates(Rates::none())
}

impl Harness for Quiet {
    type Transport = FaultyTransport<MemoryTransport>;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Self::Transport, HarnessError> {
        Ok(quiet().around(start(streams)?))
    }

    async fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> Result<[Self::Transport; 2], HarnessError> {
        let first = start(streams)?;
        let second = first.connect()?;
        Ok([first, second].map(|transport| quiet().around(transport)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_without_faults_changes_nothing() {
    let report = event_sdk_conformance::run(Quiet).await;
    report.assert_all_passed();
    let memory = start(Vec::new()).unwrap();
    for result in report.results() {
        match &result.verdict {
            Verdict::Unsupported(missing) => {
                assert!(!missing.iter().any(|it| memory.supports(*it)), "{result}");
            }
            verdict => assert_eq!(*verdict, Verdict::Passed, "{result}"),
        }
    }
}

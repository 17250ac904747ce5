//! The suite on real NATS servers.

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk::stream::StreamConfig;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Capability, Transport};
use event_sdk_conformance::{Harness, HarnessError, Report, Suite, Verdict};
use event_sdk_test_servers::programs::nats;
use event_sdk_test_servers::{Cluster, Options, Server};
use tokio::sync::Mutex;

use crate::sabotage::{Broken, Sabotage};

/// One server for all cases, which have streams of their own, or one cluster.
struct OverNats<S> {
    urls: Vec<String>,
    /// Removes what is left of a case whose transport was closed.
    admin: async_nats::Client,
    /// Ends with this.
    _servers: S,
}

impl OverNats<Server> {
    async fn one(options: Options) -> Self {
        let server = options.start().await.unwrap();
        Self::over(vec![server.url()], server).await
    }
}

impl OverNats<Cluster> {
    async fn three() -> Self {
        let cluster = Cluster::start(3).await.unwrap();
        Self::over(cluster.urls(), cluster).await
    }
}

impl<S> OverNats<S> {
    async fn over(urls: Vec<String>, servers: S) -> Self {
        Self {
            admin: async_nats::connect(urls.as_slice()).await.unwrap(),
            urls,
            _servers: servers,
        }
    }
}

impl<S: Send + Sync + 'static> Harness for OverNats<S> {
    type Transport = Nats;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Nats, HarnessError> {
        // A group ends within the patience after its last subscription, which takes two
        // seconds to leave a cluster, and not before that is read for the first time.
        let options = Nats::options(self.urls.join(",")).inactive_threshold(Duration::from_secs(5));
        let nats = Nats::connect(options).await?;
        for stream in &streams {
            nats.apply_stream(stream).await?;
        }
        Ok(nats)
    }

    async fn stop(&self, nats: &Nats, streams: &[StreamConfig]) {
        // Closed by its case already, it has nothing left to say.
        let _ = nats.close().await;
        for stream in streams {
            let call = format!("$JS.API.STREAM.DELETE.{}", stream.name);
            let _ = self.admin.request(call, "".into()).await;
        }
    }

    async fn remove_bucket(&self, _: &Nats, bucket: &str) {
        let call = format!("$JS.API.STREAM.DELETE.KV_{bucket}");
        let _ = self.admin.request(call, "".into()).await;
    }
}

/// Held by the suite that runs: a cluster needs the machine for itself.
static MACHINE: Mutex<()> = Mutex::const_new(());

/// All cases; servers and tests share the machine, which may have two cores only, and
/// a cluster writes everything three times.
fn suite() -> Suite {
    Suite::new()
        .parallel(8)
        .patience(Duration::from_mins(1))
        .timeout(Duration::from_mins(5))
}

/// What a server cannot do, whatever its version.
const BEYOND: [Capability; 3] = [
    Capability::ValueHandover,
    Capability::DeduplicationOff,
    Capability::ReportsExhaustedLater,
];

/// What the oldest supported server lacks beside that.
const LATER: [Capability; 6] = [
    Capability::ExpectPattern,
    Capability::CoordinationExpiry,
    Capability::Scheduler,
    Capability::PauseConsumer,
    Capability::ResetConsumer,
    Capability::PromoteMirror,
];

/// What a server lacks that is in no cluster.
const OF_CLUSTERS: [Capability; 1] = [Capability::Placement];

/// Everything passed, but for what a server cannot do.
fn assert_all_but(report: &Report, lacking: &[Capability]) {
    report.assert_all_passed();
    let lacking: BTreeSet<_> = lacking.iter().map(ToString::to_string).collect();
    for result in report.results() {
        let needs = result.case.needs().iter().map(ToString::to_string);
        let wanted = needs.filter(|need| lacking.contains(need)).count();
        let found = match &result.verdict {
            Verdict::Unsupported(missing) => missing.len(),
            _ => 0,
        };
        assert_eq!(found, wanted, "{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_on_one_server() {
    let _machine = MACHINE.lock().await;
    let harness = OverNats::one(Server::options()).await;
    let report = suite().run(harness).await;
    let beyond = [&BEYOND[..], &OF_CLUSTERS].concat();
    assert_all_but(&report, &beyond);
    assert_eq!(
        report.results().len(),
        event_sdk_conformance::cases().count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_on_a_cluster_of_three() {
    let _machine = MACHINE.lock().await;
    let harness = OverNats::three().await;
    let report = suite().parallel(3).replicas(3).run(harness).await;
    assert_all_but(&report, &BEYOND);
    assert_eq!(
        report.results().len(),
        event_sdk_conformance::cases().count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_on_the_oldest_server() {
    let program = nats::oldest().unwrap();
    let _machine = MACHINE.lock().await;
    let harness = OverNats::one(Server::options().program(program)).await;
    let report = suite().run(harness).await;
    let beyond = [&BEYOND[..], &LATER, &OF_CLUSTERS].concat();
    assert_all_but(&report, &beyond);
    assert_eq!(
        report.results().len(),
        event_sdk_conformance::cases().count()
    );
}

/// A server whose copies are others than were asked for.
struct OtherCopies(OverNats<Server>, Sabotage);

impl Harness for OtherCopies {
    type Transport = Broken<Nats>;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Broken<Nats>, HarnessError> {
        Ok(Broken::new(self.0.start(streams).await?, self.1))
    }
}

/// The memory transport has no copies, so that these promises are broken over a server.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_promise_of_copies_fails_its_case() {
    let _machine = MACHINE.lock().await;
    for (sabotage, named) in [
        (Sabotage::Nothing, None),
        (Sabotage::CopiesEverything, Some("a_source_is_copied")),
        (Sabotage::GoesOnCopying, Some("a_mirror_becomes_a_stream")),
    ] {
        let server = OverNats::one(Server::options()).await;
        let copying = suite().only(["copying"]).unwrap();
        let report = copying.run(OtherCopies(server, sabotage)).await;
        let failed: Vec<_> = report.failed().map(|result| result.case.name()).collect();
        assert_eq!(failed, Vec::from_iter(named), "{sabotage:?}:\n{report:#}");
    }
}

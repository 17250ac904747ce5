//! The NATS transport keeps every promise on a real server.

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk::stream::StreamConfig;
use event_sdk::testing::conformance::{self, Harness, HarnessError, Report, Suite, Verdict};
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Capability, Transport};
use event_sdk_test_servers::programs::nats;
use event_sdk_test_servers::{Options, Server};

/// One server for all cases, which have streams of their own.
struct OverNats {
    server: Server,
    /// Removes what is left of a case whose transport was closed.
    admin: async_nats::Client,
}

impl OverNats {
    async fn start(options: Options) -> Self {
        let server = options.start().await.unwrap();
        let admin = async_nats::connect(server.url()).await.unwrap();
        Self { server, admin }
    }
}

impl Harness for OverNats {
    type Transport = Nats;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Nats, HarnessError> {
        // A group ends soon after its last subscription.
        let options = Nats::options(self.server.url()).inactive_threshold(Duration::from_secs(2));
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
}

/// What a server cannot do, whatever its version.
const BEYOND: [Capability; 3] = [
    Capability::ReportsGaps,
    Capability::ValueHandover,
    Capability::DeduplicationOff,
];

/// What a 2.9 server lacks beside that.
const SINCE_2_9: [Capability; 3] = [
    Capability::SeveralFilters,
    Capability::ExpectPattern,
    Capability::Compression,
];

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
    let harness = OverNats::start(Server::options()).await;
    let report = Suite::new().parallel(8).run(harness).await;
    assert_all_but(&report, &BEYOND);
    assert_eq!(report.results().len(), conformance::cases().count());
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_on_an_old_server() {
    let Some(program) = nats::old().unwrap() else {
        println!("not run: there is no NATS server older than 2.10 on this machine");
        return;
    };
    let harness = OverNats::start(Server::options().program(program)).await;
    let report = Suite::new().parallel(8).run(harness).await;
    let beyond = [&BEYOND[..], &SINCE_2_9].concat();
    assert_all_but(&report, &beyond);
    assert_eq!(report.results().len(), conformance::cases().count());
}

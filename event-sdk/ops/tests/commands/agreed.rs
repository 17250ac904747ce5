//! What is agreed to is what is carried out: the server changes while `streams apply` asks.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk_ops::{Operations, Screen, run_on};
use event_sdk_topology::Topology;
use futures_util::FutureExt as _;

/// A topology that lowers the maximum of messages, for which `streams apply` asks.
const LOWER: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"]).max_messages(10),
            StreamSpec::constant("BILLING", &["billing.>"]).max_age(Duration::from_secs(60)),
        ]
    },
);

/// Agrees, after the server has changed.
struct Meanwhile<F>(Option<F>);

impl<F: FnOnce()> Read for Meanwhile<F> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("a line is read")
    }
}

impl<F: FnOnce()> BufRead for Meanwhile<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(change) = self.0.take() {
            change();
        }
        Ok(b"y\n")
    }

    fn consume(&mut self, _: usize) {}
}

/// Applies the topology while another program changes BILLING to this. Returns the exit code, what was
/// written, and the maximum of messages of ORDERS.
async fn applied(billing: StreamSpec) -> (u8, String, Option<u64>) {
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    let before = LOWER.declare(EventBus::builder()).memory().unwrap();
    let change = |spec: StreamSpec| {
        let builder = EventBus::builder().stream(spec);
        let other = builder.transport(before.transport().clone()).unwrap();
        let applied = other.apply_streams().now_or_never();
        applied.expect("memory answers at once").unwrap();
    };
    change(orders.max_messages(20));
    let shop = Operations::new("shop").topology(LOWER).bus(before.clone());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = Meanwhile(Some(|| change(billing)));
    let mut screen = Screen {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        out_color: anstream::ColorChoice::Never,
        err_color: anstream::ColorChoice::Never,
        is_terminal: true,
        is_interactive: true,
    };
    let code = run_on(&shop, ["shop", "streams", "apply"], &mut screen).await;
    let written = [out, err].map(|text| String::from_utf8(text).unwrap());
    let state = before.transport().stream_state("ORDERS").await.unwrap();
    let most = state.config.limits.messages.map(std::num::NonZeroU64::get);
    (code, written.concat(), most)
}

#[tokio::test]
async fn a_plan_that_has_changed_is_not_applied() {
    // A lower age of BILLING was not agreed to.
    let billing = || StreamSpec::new("BILLING").subject("billing.>");
    let (code, written, most) = applied(billing().max_age(Duration::from_secs(3_600))).await;
    assert_eq!((code, most), (2, Some(20)), "{written}");
    assert!(
        written.contains("nothing was changed: look at the new plan"),
        "{written}"
    );
    assert!(written.contains("BILLING"), "the new plan: {written}");

    // What changed plays no part in it.
    let other = StreamSpec::new("OTHER").subject("other.>");
    let (code, written, most) = applied(other).await;
    assert_eq!((code, most), (0, Some(10)), "{written}");
}

//! Fault: the server is stopped or killed while services publish.

use futures_util::future::join_all;

use crate::ledger::{Ledger, Sign};
use crate::rig::{How, STREAM, restart, start};
use crate::work::{Traffic, read_stored, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_stored_exactly_once() {
    let ledger = Ledger::new("server restarted while publishing");
    let (mut server, service) = start().await;
    let (bus, traffic) = (&service.bus, Traffic::new());

    let one_by_one = join_all((0..4).map(|_| traffic.publish(bus, &ledger)));
    let in_batches = traffic.publish_batches(bus, &ledger, 50);
    let faults = async {
        for how in [How::Stopped, How::Killed, How::Killed] {
            restart(&mut server, &ledger, how).await;
            ledger.goes_on(&[Sign::Confirmed], 200).await;
        }
        traffic.end();
    };
    within("all to be published", async {
        tokio::join!(one_by_one, in_batches, faults)
    })
    .await;

    read_stored(bus, &ledger).await;
    let totals = ledger.close();
    assert_eq!(totals.confirmed, totals.published);
    assert_eq!(totals.repeated, 0, "an event was stored twice");
    let state = bus.stream_state(STREAM).await.expect("the stream is there");
    assert_eq!(state.messages, totals.published);
}

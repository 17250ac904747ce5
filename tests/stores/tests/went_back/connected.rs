//! A stream that is another one while the connection stays.

use event_sdk_sql::LossOutcome;
use event_sdk_test_servers::programs::Program;

use crate::rig::{Rig, STREAM, delete_stream, on_both_servers, stored, wait_until};

on_both_servers![a_sequence_below_a_confirmed_one_shows_the_loss];

async fn a_sequence_below_a_confirmed_one_shows_the_loss(program: Program) {
    let rig = Rig::with_stream(program).await;
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_marks(20).await;
    // The connection stays, and the stream is another one.
    delete_stream(&rig.server, STREAM).await;
    rig.bus.apply_streams().await.expect("a new stream");
    rig.enqueue([20]).await;
    wait_until("all rows are in the new stream", async || {
        let mut numbers = stored(&rig.bus).await;
        numbers.sort_unstable();
        numbers == (0..21).collect::<Vec<_>>()
    })
    .await;
    let report = relay.stop().await;
    assert_eq!(report.restored, 20);
    let outcomes: Vec<_> = rig.losses().iter().map(|loss| loss.outcome).collect();
    assert_eq!(outcomes, [LossOutcome::LeftStreamAnew]);
}

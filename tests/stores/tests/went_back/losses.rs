//! A server whose files were replaced: by an older copy, by nothing, or by older messages alone.

use std::time::Duration;

use event_sdk_sql::LossOutcome;
use event_sdk_test_servers::programs::Program;

use crate::files::{Copy, store};
use crate::rig::{FIVE_MINUTES, Rig, Running, on_both_servers, placed, stored, wait_until};

on_both_servers![
    rows_that_an_older_copy_lacks_are_published_again,
    rows_of_the_duplicate_window_are_published_again_without_a_comparison,
    lost_rows_are_found_behind_those_of_other_publishers,
    a_stream_made_anew_is_reported_and_gets_the_duplicate_window,
    a_loss_older_than_the_repair_time_is_reported,
    a_work_queue_is_reported,
    a_repair_that_was_interrupted_is_finished,
    consumer_and_inbox_go_on_after_an_older_copy,
];

/// Twenty rows, a copy, and twenty more; then the server stops, and has the copy.
async fn went_back(rig: &mut Rig) {
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_marks(20).await;
    relay.stop().await;
    rig.server.stop().await.expect("it stops");
    let store = store(rig.server.folder());
    let copy = Copy::of(&store);
    rig.server.restart().await.expect("it starts");
    let relay = rig.relay();
    rig.enqueue(20..40).await;
    rig.wait_for_marks(40).await;
    relay.stop().await;
    rig.server.kill().await.expect("it ends");
    copy.put(&store);
}

async fn rows_that_an_older_copy_lacks_are_published_again(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    went_back(&mut rig).await;
    // The relay is running, and no row is within the duplicate window.
    rig.clock.forward(FIVE_MINUTES);
    let relay = rig.relay();
    rig.enqueue([40]).await;
    rig.server.restart().await.expect("it starts");
    rig.wait_for(0..41).await;
    rig.wait_for_marks(41).await;
    let report = relay.stop().await;
    assert_eq!((report.sent_again, report.restored), (20, 20));
    let losses = rig.losses();
    assert_eq!(losses, report.stream_losses);
    let [loss] = &*losses else {
        panic!("one loss, not {losses:?}");
    };
    assert_eq!(loss.outcome, LossOutcome::PublishedAgain);
    assert_eq!((loss.confirmed, loss.last, loss.rows), (40, 20, 20));
    // They are where they were confirmed now: nothing is published again.
    let relay = rig.relay();
    rig.enqueue([41]).await;
    rig.wait_for_marks(42).await;
    assert_eq!(relay.stop().await.restored, 0);
    rig.wait_for(0..42).await;
}

async fn rows_of_the_duplicate_window_are_published_again_without_a_comparison(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_marks(20).await;
    rig.server.stop().await.expect("it stops");
    let store = store(rig.server.folder());
    let copy = Copy::of(&store);
    rig.server.restart().await.expect("it starts");
    rig.enqueue(20..40).await;
    rig.wait_for_marks(40).await;
    rig.server.kill().await.expect("it ends");
    copy.put(&store);
    rig.server.restart().await.expect("it starts");
    rig.wait_for(0..40).await;
    rig.enqueue([40]).await;
    rig.wait_for(0..41).await;
    let report = relay.stop().await;
    assert_eq!(report.restored, 20);
}

async fn lost_rows_are_found_behind_those_of_other_publishers(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    went_back(&mut rig).await;
    rig.server.restart().await.expect("it starts");
    rig.clock.forward(FIVE_MINUTES);
    // The stream ends beyond the sequence that was confirmed last.
    let publisher = rig.bus.publisher();
    let plain = async_nats::connect(rig.server.url()).await;
    let plain = plain.expect("a connection");
    for n in 100..150 {
        if n % 2 == 0 {
            publisher.publish(placed(n)).await.expect("it is stored");
        } else {
            // A client that sends no message id.
            let event = publisher.encode(placed(n)).expect("an event");
            let stored = plain.request(event.subject.to_string(), event.body).await;
            stored.expect("it is stored");
        }
    }
    let relay = rig.relay();
    rig.enqueue([40]).await;
    rig.wait_for((0..20).chain(100..150).chain(20..41)).await;
    assert_eq!(relay.stop().await.restored, 20);
    let outcomes: Vec<_> = rig.losses().iter().map(|loss| loss.outcome).collect();
    assert_eq!(outcomes, [LossOutcome::PublishedAgain]);
}

async fn a_stream_made_anew_is_reported_and_gets_the_duplicate_window(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_marks(20).await;
    rig.clock.forward(FIVE_MINUTES);
    rig.enqueue(20..30).await;
    rig.wait_for_marks(30).await;
    relay.stop().await;
    rig.server.kill().await.expect("it ends");
    std::fs::remove_dir_all(store(rig.server.folder())).expect("a store");
    rig.server.restart().await.expect("it starts");
    rig.bus.apply_streams().await.expect("a new stream");
    let relay = rig.relay();
    rig.enqueue([30]).await;
    rig.wait_for(20..31).await;
    rig.wait_for_marks(31).await;
    let report = relay.stop().await;
    assert_eq!((report.sent_again, report.restored), (10, 10));
    let losses = rig.losses();
    let [loss] = &*losses else {
        panic!("one loss, not {losses:?}");
    };
    assert_eq!(loss.outcome, LossOutcome::LeftStreamAnew);
    assert_eq!((loss.last, loss.rows), (0, 30));
    assert!(loss.to_string().contains("run `recover`"), "{loss}");
}

async fn a_loss_older_than_the_repair_time_is_reported(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_marks(20).await;
    relay.stop().await;
    rig.server.stop().await.expect("it stops");
    let store = store(rig.server.folder());
    let copy = Copy::of(&store);
    rig.server.restart().await.expect("it starts");
    for numbers in [20..25, 25..30] {
        let relay = rig.relay();
        let marked = i64::from(numbers.end);
        rig.enqueue(numbers).await;
        rig.wait_for_marks(marked).await;
        relay.stop().await;
        rig.clock.forward(Duration::from_hours(1));
    }
    rig.server.kill().await.expect("it ends");
    copy.put(&store);
    rig.server.restart().await.expect("it starts");
    let relay = rig.relay();
    rig.enqueue([30]).await;
    rig.wait_for((0..20).chain([30])).await;
    rig.wait_for_marks(31).await;
    let report = relay.stop().await;
    assert_eq!(report.sent_again, 0);
    let losses = rig.losses();
    let [loss] = &*losses else {
        panic!("one loss, not {losses:?}");
    };
    assert_eq!(loss.outcome, LossOutcome::LeftOlder);
    assert_eq!((loss.confirmed, loss.last, loss.rows), (30, 20, 5));
}

async fn a_work_queue_is_reported(program: Program) {
    let mut rig = Rig::start(program).await;
    let queue = event_sdk::stream::StreamSpec::new(crate::rig::STREAM)
        .subject("orders.>")
        .retention(event_sdk::stream::Retention::WorkQueue);
    let queue = queue.config("events").expect("a stream");
    let transport = rig.bus.transport();
    event_sdk::transport::TransportExt::apply_stream(transport, &queue)
        .await
        .expect("a work queue");
    went_back(&mut rig).await;
    rig.server.restart().await.expect("it starts");
    rig.clock.forward(FIVE_MINUTES);
    let relay = rig.relay();
    rig.enqueue([40]).await;
    rig.wait_for((0..20).chain([40])).await;
    rig.wait_for_marks(41).await;
    assert_eq!(relay.stop().await.sent_again, 0);
    let outcomes: Vec<_> = rig.losses().iter().map(|loss| loss.outcome).collect();
    assert_eq!(outcomes, [LossOutcome::LeftAcknowledged]);
}

async fn a_repair_that_was_interrupted_is_finished(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    went_back(&mut rig).await;
    rig.server.restart().await.expect("it starts");
    rig.clock.forward(FIVE_MINUTES);
    // A page of the repair has five rows: it is killed after a few pages.
    let small = |rig: &Rig| -> Running { rig.relay_over(&rig.bus, |relay| relay.batch(5)) };
    let killed = small(&rig);
    wait_until("some rows are there again", async || {
        stored(&rig.bus).await.len() > 27
    })
    .await;
    killed.kill(&rig).await;
    let relay = small(&rig);
    rig.enqueue([40]).await;
    rig.wait_for(0..41).await;
    rig.wait_for_marks(41).await;
    relay.stop().await;
}

async fn consumer_and_inbox_go_on_after_an_older_copy(program: Program) {
    let mut rig = Rig::with_stream(program).await;
    let (consumer, inbox) = rig.billing().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let consuming = tokio::spawn(consumer.run_until(async {
        drop(stopped.await);
    }));
    let relay = rig.relay();
    rig.enqueue(0..20).await;
    rig.wait_for_invoices(0..20).await;
    rig.server.stop().await.expect("it stops");
    let store = store(rig.server.folder());
    let copy = Copy::of(&store);
    rig.server.restart().await.expect("it starts");
    rig.enqueue(20..40).await;
    rig.wait_for_invoices(0..40).await;
    rig.wait_for_marks(40).await;
    rig.server.kill().await.expect("it ends");
    copy.put(&store);
    rig.clock.forward(FIVE_MINUTES);
    rig.server.restart().await.expect("it starts");
    rig.enqueue([40]).await;
    rig.wait_for(0..41).await;
    rig.wait_for_invoices(0..41).await;
    relay.stop().await;
    drop(stop);
    let report = consuming.await.expect("no panic").expect("a report");
    assert_eq!(report.failed_attempts, 0, "{report:?}");
    let status = inbox.status("billing").await.expect("a status");
    assert_eq!((status.done, status.dead), (41, 0));
}

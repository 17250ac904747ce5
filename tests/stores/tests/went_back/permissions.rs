//! A relay that may only publish: rows of the duplicate window come again, and no others.

use event_sdk::EventBus;
use event_sdk_test_servers::programs::Program;
use event_sdk_test_servers::{Permissions, Server, User};

use crate::files::{Copy, store};
use crate::rig::{FIVE_MINUTES, Rig, Running, bus, on_both_servers, options, wait_for_in};

on_both_servers![
    a_relay_that_may_only_publish_restores_the_duplicate_window,
    a_relay_that_may_read_the_stream_restores_everything,
];

async fn a_relay_that_may_only_publish_restores_the_duplicate_window(program: Program) {
    let publisher = Permissions::none().publish(&["events.orders.>"]);
    let (operator, rig, relay) = went_back(program, publisher).await;
    wait_for_in(&operator, (0..10).chain(20..31)).await;
    rig.wait_for_marks(31).await;
    let report = relay.stop().await;
    assert_eq!(report.restored, 10);
    assert_eq!(report.stream_losses, []);
}

async fn a_relay_that_may_read_the_stream_restores_everything(program: Program) {
    let reader = Permissions::none().publish(&[
        "events.orders.>",
        "$JS.API.STREAM.INFO.ORDERS",
        "$JS.API.STREAM.MSG.GET.ORDERS",
    ]);
    let (operator, rig, relay) = went_back(program, reader).await;
    wait_for_in(&operator, 0..31).await;
    rig.wait_for_marks(31).await;
    let report = relay.stop().await;
    assert_eq!(report.restored, 20);
    assert_eq!(report.stream_losses.len(), 1);
}

/// Ten rows, a copy of the server's files, ten rows that are too old to be published again without a
/// comparison, ten new ones; then the server has the copy, and one more row follows.
async fn went_back(program: Program, permissions: Permissions) -> (EventBus, Rig, Running) {
    let publisher = permissions.subscribe(&["_INBOX.>"]);
    let users = [
        User::password("operator", "secret"),
        User::password("relay", "secret").permissions(publisher),
    ];
    let server = Server::options().program(program).users(users);
    let mut rig = Rig::start_with(server, |options| options.user("relay", "secret")).await;
    let operator = bus(options(&rig.server).user("operator", "secret"), &rig.clock).await;
    operator.apply_streams().await.expect("a stream");
    let relay = rig.relay();
    rig.enqueue(0..10).await;
    rig.wait_for_marks(10).await;
    rig.server.stop().await.expect("it stops");
    let copy = Copy::of(&store(rig.server.folder()));
    rig.server.restart().await.expect("it starts");
    rig.enqueue(10..20).await;
    rig.wait_for_marks(20).await;
    rig.clock.forward(FIVE_MINUTES);
    rig.enqueue(20..30).await;
    rig.wait_for_marks(30).await;
    rig.server.kill().await.expect("it ends");
    copy.put(&store(rig.server.folder()));
    rig.server.restart().await.expect("it starts");
    rig.enqueue([30]).await;
    (operator, rig, relay)
}

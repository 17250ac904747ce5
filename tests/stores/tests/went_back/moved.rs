//! A planned migration: the stream is somewhere else, with its content. Nothing is published again.

use event_sdk::transport::{HistoryRequest, MessageId, PublishRequest, TransportExt as _};
use event_sdk::transport::{Transport as _, WhichMessage};
use event_sdk::{Pattern, Subject};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::Program;
use futures_util::StreamExt as _;

use crate::files::{Copy, store};
use crate::rig::{FIVE_MINUTES, Rig, STREAM, bus, on_both_servers, options, placed, wait_for_in};

on_both_servers![
    a_server_with_the_same_files_gets_nothing_again,
    a_stream_copied_under_other_sequences_gets_nothing_again,
    deleted_messages_are_not_published_again,
];

async fn filled(program: Program) -> Rig {
    let rig = Rig::with_stream(program).await;
    let relay = rig.relay();
    rig.enqueue(0..30).await;
    rig.wait_for_marks(30).await;
    relay.stop().await;
    rig.clock.forward(FIVE_MINUTES);
    rig
}

async fn a_server_with_the_same_files_gets_nothing_again(program: Program) {
    let mut rig = filled(program.clone()).await;
    rig.server.stop().await.expect("it stops");
    let copy = Copy::of(&store(rig.server.folder()));
    let mut server = Server::options()
        .program(program)
        .start()
        .await
        .expect("a server");
    server.stop().await.expect("it stops");
    copy.put(&store(server.folder()));
    server.restart().await.expect("it starts");
    let moved = bus(options(&server), &rig.clock).await;
    let relay = rig.relay_over(&moved, |relay| relay);
    rig.enqueue([30]).await;
    wait_for_in(&moved, 0..31).await;
    rig.wait_for_marks(31).await;
    assert_eq!(relay.stop().await.sent_again, 0);
    assert_eq!(rig.losses(), []);
}

async fn a_stream_copied_under_other_sequences_gets_nothing_again(program: Program) {
    let rig = filled(program.clone()).await;
    let server = Server::options()
        .program(program)
        .start()
        .await
        .expect("a server");
    let moved = bus(options(&server), &rig.clock).await;
    moved.apply_streams().await.expect("a new stream");
    // Other messages come first, so that all sequences are others.
    for n in 100..107 {
        let other = placed(n);
        moved
            .publisher()
            .publish(other)
            .await
            .expect("it is stored");
    }
    let everything = vec![Pattern::parse("events.orders.>").expect("a pattern")];
    let request = HistoryRequest::new(STREAM, everything);
    let mut messages = rig
        .bus
        .transport()
        .read_history(request)
        .await
        .expect("history");
    while let Some(message) = messages.next().await {
        let message = message.expect("a message");
        let which = WhichMessage::Sequence(message.sequence);
        let found = rig.bus.transport().get_message(STREAM, which).await;
        let id = found
            .expect("it is read")
            .and_then(|found| found.message_id);
        let subject: Subject = message.subject;
        let mut copy = PublishRequest::new(&subject, message.body);
        copy.message_id = id.map(MessageId::Text);
        let stored = moved.transport().publish(copy).await.expect("it is sent");
        stored.await.expect("it is stored");
    }
    let relay = rig.relay_over(&moved, |relay| relay);
    rig.enqueue([30]).await;
    wait_for_in(&moved, (100..107).chain(0..31)).await;
    rig.wait_for_marks(31).await;
    assert_eq!(relay.stop().await.sent_again, 0);
    assert_eq!(rig.losses(), []);
}

async fn deleted_messages_are_not_published_again(program: Program) {
    let rig = filled(program).await;
    for sequence in [11, 29, 30] {
        let deletion = event_sdk::transport::Deletion::Erase;
        let deleted = rig
            .bus
            .transport()
            .delete_message(STREAM, sequence, deletion);
        assert!(deleted.await.expect("it is deleted"));
    }
    let relay = rig.relay();
    rig.enqueue([30]).await;
    rig.wait_for((0..28).filter(|n| *n != 10).chain([30])).await;
    rig.wait_for_marks(31).await;
    assert_eq!(relay.stop().await.sent_again, 0);
    assert_eq!(rig.losses(), []);
}

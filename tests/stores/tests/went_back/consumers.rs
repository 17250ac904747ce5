//! A consumer whose position lies beyond the end of its stream says so, and delivers nothing new.

use std::future::Future;
use std::time::Duration;

use event_sdk::transport::{DeliverPolicy, ErrorKind, NoticeKind};
use event_sdk::{Incoming, Subscriber};

use crate::files::{Copy, messages};
use crate::rig::{OrderPlaced, Rig, newest, oldest, placed};

async fn publish(rig: &Rig, numbers: impl IntoIterator<Item = u32>) {
    let publisher = rig.bus.publisher();
    for n in numbers {
        publisher.publish(placed(n)).await.expect("it is stored");
    }
}

async fn handle(board: &mut Subscriber<OrderPlaced>, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        let delivery = within(board.next())
            .await
            .expect("it goes on")
            .expect("a delivery");
        assert_eq!(delivery.decode().expect("an order").n, n);
        delivery.ack_confirmed().await.expect("it is acknowledged");
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_mins(1);
    tokio::time::timeout(limit, future)
        .await
        .expect("within a minute")
}

/// Messages up to 20 and the state of a consumer that has handled 40.
async fn went_back(rig: &mut Rig) -> Subscriber<OrderPlaced> {
    let mut board = rig
        .bus
        .subscribe::<OrderPlaced>()
        .durable("board")
        .await
        .expect("a durable");
    publish(rig, 0..20).await;
    handle(&mut board, 0..20).await;
    rig.server.stop().await.expect("it stops");
    let messages = messages(rig.server.folder());
    let copy = Copy::of(&messages);
    rig.server.restart().await.expect("it starts");
    publish(rig, 20..40).await;
    handle(&mut board, 20..40).await;
    rig.server.stop().await.expect("it stops");
    copy.put(&messages);
    board
}

/// The next notice that is not about the connection.
async fn notice(board: &mut Subscriber<OrderPlaced>) -> (u64, u64) {
    loop {
        match within(board.next_incoming()).await.expect("it goes on") {
            Ok(Incoming::Notice(notice)) => match notice.kind() {
                NoticeKind::WentBack(back) => return (back.position, back.last),
                NoticeKind::Reconnected => {}
                other => panic!("another notice: {other}"),
            },
            other => panic!("instead of a notice: {other:?}"),
        }
    }
}

async fn ends(board: &mut Subscriber<OrderPlaced>) {
    let error = within(board.next())
        .await
        .expect("an error")
        .expect_err("no delivery");
    let kind = ErrorKind::StreamWentBack {
        position: 40,
        last: 20,
    };
    assert_eq!(*error.kind(), kind, "{error}");
    assert!(within(board.next()).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_oldest_server_it_stops_after_a_reconnect_and_at_its_start() {
    let mut rig = Rig::with_stream(oldest()).await;
    let mut board = went_back(&mut rig).await;
    rig.server.restart().await.expect("it starts");
    assert_eq!(notice(&mut board).await, (40, 20));
    ends(&mut board).await;
    assert_eq!(board.notices().went_back, 1);
    let mut again = rig
        .bus
        .subscribe::<OrderPlaced>()
        .durable("board")
        .await
        .expect("a durable");
    assert_eq!(notice(&mut again).await, (40, 20));
    ends(&mut again).await;
    // A consumer with handlers ends with the same error.
    let consumer = rig
        .bus
        .consumer::<OrderPlaced>("board")
        .on(|_: OrderPlaced, _| async { Ok(()) });
    let ended = within(consumer.run_until(std::future::pending())).await;
    let error = ended.expect_err("an error");
    assert!(error.to_string().contains("went back"), "{error}");
    // Once the stream has reached its position, it cannot be known any more.
    publish(&rig, 100..121).await;
    let mut later = rig
        .bus
        .subscribe::<OrderPlaced>()
        .durable("board")
        .await
        .expect("a durable");
    handle(&mut later, [120]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_newest_server_the_consumer_goes_back_with_its_stream() {
    let mut rig = Rig::with_stream(newest()).await;
    let mut board = went_back(&mut rig).await;
    rig.server.restart().await.expect("it starts");
    publish(&rig, 100..105).await;
    handle(&mut board, 100..105).await;
    assert_eq!(board.notices().went_back, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_starts_beyond_the_end_waits() {
    for program in [oldest(), newest()] {
        let rig = Rig::with_stream(program).await;
        publish(&rig, 0..3).await;
        let subscribe = rig.bus.subscribe::<OrderPlaced>().durable("later");
        let mut later = subscribe
            .deliver(DeliverPolicy::ByStartSequence(6))
            .await
            .expect("a durable");
        publish(&rig, 3..7).await;
        handle(&mut later, [5, 6]).await;
        assert_eq!(later.notices().went_back, 0);
    }
}

//! What is written, in which order, and what outlives a connection.

use super::*;

fn taken(outgoing: &mut Outgoing) -> String {
    let mut writing = Vec::new();
    outgoing.take(&mut writing, &Context::from_waker(Waker::noop()));
    String::from_utf8(writing).unwrap()
}

#[test]
fn all_that_waits_is_written_at_once_and_in_order() {
    let mut outgoing = Outgoing::new();
    outgoing.connect();
    outgoing.ping(Pong::Alive);
    outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
    outgoing.publish_kept(b"ack.2", b"", Haste::Now);
    outgoing.subscribe("inbox.*", None, 1);
    outgoing.subscribe("a.>", Some("group"), 2);
    outgoing.request(b"next", b"inbox.1", b"{}");
    outgoing.unsubscribe(1);
    outgoing.pong();
    let all = "SUB inbox.* 1\r\nSUB a.> group 2\r\nPUB next inbox.1 2\r\n{}\r\nUNSUB 1\r\nPONG\r\n\
               PUB ack.1 4\r\n+ACK\r\nPUB ack.2 0\r\n\r\nPING\r\n";
    assert_eq!(taken(&mut outgoing), all);
    assert_eq!(taken(&mut outgoing), "");
    assert!(matches!(outgoing.take_pong(), Some(Pong::Alive)));
    assert!(outgoing.take_pong().is_none());
}

#[test]
fn a_settlement_waits_for_others_until_there_is_a_reason_to_write() {
    let ack = |outgoing: &mut Outgoing| outgoing.publish_kept(b"a", b"+ACK", Haste::Soon);
    let one = "PUB a 4\r\n+ACK\r\n";
    let mut outgoing = Outgoing::new();
    outgoing.connect();
    assert_eq!(taken(&mut outgoing), "");
    ack(&mut outgoing);
    assert_eq!(taken(&mut outgoing), "");
    ack(&mut outgoing);
    outgoing.hurry();
    assert_eq!(taken(&mut outgoing), one.repeat(2));
    ack(&mut outgoing);
    assert_eq!(taken(&mut outgoing), "");
    outgoing.publish_kept(b"a", b"+ACK", Haste::Now);
    assert_eq!(taken(&mut outgoing), one.repeat(2));
    ack(&mut outgoing);
    outgoing.unsubscribe(1);
    assert_eq!(taken(&mut outgoing), format!("UNSUB 1\r\n{one}"));
    let mut many = 0;
    while taken(&mut outgoing).is_empty() {
        ack(&mut outgoing);
        many += 1;
    }
    assert_eq!(many, FULL.div_ceil(one.len()));
}

#[test]
fn lengths_are_written_in_decimal() {
    for number in [0, 4, 9, 10, 99, 100, 1_048_576, usize::MAX] {
        let mut buffer = Vec::new();
        write_number(&mut buffer, number);
        assert_eq!(String::from_utf8(buffer).unwrap(), number.to_string());
    }
}

#[test]
fn settlements_alone_outlive_a_connection() {
    let mut outgoing = Outgoing::new();
    outgoing.request(b"next", b"inbox.1", b"{}");
    outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
    outgoing.subscribe("inbox.*", None, 1);
    let (flushed, mut flushing) = oneshot::channel();
    outgoing.connect();
    outgoing.ping(Pong::Flushed(flushed));
    outgoing.request(b"next", b"inbox.1", b"{}");
    outgoing.lose();
    assert!(matches!(
        flushing.try_recv(),
        Err(oneshot::error::TryRecvError::Closed)
    ));
    outgoing.request(b"next", b"inbox.1", b"{}");
    outgoing.connect();
    assert_eq!(taken(&mut outgoing), "PUB ack.1 4\r\n+ACK\r\n");
    outgoing.publish_kept(b"ack.2", b"+ACK", Haste::Now);
    outgoing.end();
    assert_eq!(taken(&mut outgoing), "");
}

#[test]
fn what_the_socket_has_not_taken_as_a_whole_is_written_to_the_next_connection() {
    let acks = ["PUB ack.1 4\r\n+ACK\r\n", "PUB ack.2 0\r\n\r\n"];
    let later = "PUB ack.3 4\r\n+ACK\r\n";
    let before = "SUB a 1\r\n";
    let first = before.len() + acks[0].len();
    let second = first + acks[1].len();
    for (written, again) in [
        (0, 0),
        (before.len() + 1, 0),
        (first - 1, 0),
        (first, 1),
        (second - 1, 1),
        (second, 2),
        (second + 3, 2),
    ] {
        let mut outgoing = Outgoing::new();
        outgoing.connect();
        outgoing.subscribe("a", None, 1);
        outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
        outgoing.publish_kept(b"ack.2", b"", Haste::Now);
        outgoing.ping(Pong::Alive);
        let mut writing = Vec::new();
        outgoing.take(&mut writing, &Context::from_waker(Waker::noop()));
        outgoing.publish_kept(b"ack.3", b"+ACK", Haste::Now);
        outgoing.put_back(&writing, written);
        outgoing.connect();
        let all = acks[again..].concat() + later;
        assert_eq!(taken(&mut outgoing), all, "after {written} bytes");
    }
}

#[test]
fn a_refusal_means_the_subscriptions_since_the_last_answer() {
    let mut outgoing = Outgoing::new();
    let refused = |outgoing: &mut Outgoing| {
        let refused = outgoing.refused();
        refused.iter().map(|one| one.sid).collect::<Vec<_>>()
    };
    outgoing.connect();
    outgoing.subscribe("a", None, 1);
    outgoing.ping(Pong::Alive);
    // It is written before that ping.
    outgoing.subscribe("a", None, 2);
    taken(&mut outgoing);
    outgoing.subscribe("a", None, 3);
    outgoing.ping(Pong::Alive);
    taken(&mut outgoing);
    outgoing.subscribe("a", None, 4);
    assert!(outgoing.take_pong().is_some());
    assert_eq!(refused(&mut outgoing), [3]);
    assert_eq!(refused(&mut outgoing), [0; 0]);
    assert!(outgoing.take_pong().is_some());
    assert_eq!(refused(&mut outgoing), [4]);
    outgoing.subscribe("a", None, 5);
    outgoing.connect();
    assert_eq!(refused(&mut outgoing), [0; 0]);
}

#[test]
fn settlements_wait_for_room_when_too_many_are_not_written() {
    let mut outgoing = Outgoing::new();
    let body = vec![b'x'; MOST_KEPT / 8];
    let mut taken = 0;
    while outgoing.has_room() {
        outgoing.publish_kept(b"ack", &body, Haste::Now);
        taken += 1;
    }
    assert_eq!(taken, 8);
}

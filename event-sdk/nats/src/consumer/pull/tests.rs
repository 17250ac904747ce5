//! Pull requests in every order of their answers.

use super::super::bind::Delivered;
use super::*;
use event_sdk_core::transport::{BoundConsumer, ConsumerName};

fn unlimited() -> Bound {
    Bound {
        stream: "S".into(),
        name: "c".into(),
        consumer: Box::new(BoundConsumer::created(waiting(Duration::from_secs(30)))),
        created: None,
        next: 0,
        delivered: Delivered::default(),
        found_idle: None,
        found_empty: false,
        must_exist: false,
        max_batch: None,
        max_expires: None,
    }
}

fn waiting(ack_wait: Duration) -> ConsumerConfig {
    let mut config = ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new());
    config.ack_wait = ack_wait;
    config
}

fn ahead(prefetch: usize) -> Pull {
    Pull::new(
        prefetch,
        None,
        &unlimited(),
        &waiting(Duration::from_secs(30)),
        Ends::Late,
    )
}

fn batch(pull: &mut Pull) -> Option<u32> {
    let request = pull.next()?;
    let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
    let batch = u32::try_from(json["batch"].as_u64().unwrap()).unwrap();
    assert!(request.token.ends_with(&format!("-{batch}")), "{request:?}");
    Some(batch)
}

fn subject(batch: u32) -> String {
    format!("_INBOX.abc.17-{batch}")
}

#[test]
fn no_more_is_asked_for_than_may_be_taken_ahead() {
    let mut pull = ahead(10);
    assert_eq!(batch(&mut pull), Some(10));
    assert_eq!(batch(&mut pull), None);
    for _ in 0..4 {
        pull.taken();
        assert_eq!(batch(&mut pull), None);
    }
    pull.taken();
    assert_eq!(batch(&mut pull), Some(5));
    assert_eq!(batch(&mut pull), None);
}

#[test]
fn one_at_a_time_is_asked_for_when_the_last_was_taken() {
    let mut pull = ahead(1);
    for _ in 0..3 {
        assert_eq!(batch(&mut pull), Some(1));
        assert_eq!(batch(&mut pull), None);
        assert!(pull.waits());
        pull.taken();
        assert!(!pull.waits());
    }
}

#[test]
fn what_a_request_did_not_bring_is_asked_for_again() {
    let mut pull = ahead(10);
    pull.next();
    for _ in 0..3 {
        pull.taken();
    }
    pull.hear(&Status::Waiting, &subject(10));
    assert_eq!(pull.owed, 7);
    pull.hear(&Status::Ended(Left::Of(7)), &subject(10));
    assert!(!pull.waits());
    assert_eq!(batch(&mut pull), Some(10));
    pull.hear(&Status::Ended(Left::All), &subject(10));
    assert_eq!(batch(&mut pull), Some(10));
    // Of a request whose subject says nothing, nothing comes any more.
    pull.hear(&Status::Nobody, "_INBOX.abc.17");
    assert_eq!(batch(&mut pull), Some(10));
    pull.hear(&Status::Deleted, "_INBOX.abc.17-3");
    assert_eq!(batch(&mut pull), Some(10));
    pull.lost();
    assert_eq!(batch(&mut pull), Some(10));
}

#[test]
fn one_that_ended_unserved_leaves_the_others() {
    let mut pull = ahead(10);
    pull.next();
    for _ in 0..5 {
        pull.taken();
    }
    assert_eq!(batch(&mut pull), Some(5));
    pull.hear(&Status::Crowded, &subject(5));
    assert!(pull.waits());
    assert_eq!(batch(&mut pull), Some(5));
}

#[test]
fn the_limits_of_the_consumer_are_kept() {
    let bound = Bound {
        max_batch: Some(4),
        max_expires: Some(Duration::from_secs(1)),
        ..unlimited()
    };
    let mut pull = Pull::new(
        10,
        None,
        &bound,
        &waiting(Duration::from_secs(30)),
        Ends::Late,
    );
    let request = pull.next().unwrap();
    assert_eq!(
        request.payload,
        r#"{"batch":4,"expires":1000000000,"idle_heartbeat":500000000}"#
    );
    assert_eq!(batch(&mut pull), Some(4));
    assert_eq!(batch(&mut pull), None);
    pull.hear(&Status::AtMost(1), &subject(4));
    pull.hear(&Status::NotLonger(Duration::from_millis(100)), &subject(4));
    assert_eq!(
        pull.next().unwrap().payload,
        r#"{"batch":1,"expires":100000000}"#
    );
}

#[test]
fn a_request_waits_with_heartbeats() {
    let mut pull = ahead(usize::MAX);
    assert_eq!(
        pull.next().unwrap().payload,
        r#"{"batch":32768,"expires":30000000000,"idle_heartbeat":1000000000}"#
    );
    assert_eq!(batch(&mut ahead(0)), Some(1));
}

#[test]
fn what_has_to_end_soon_ends_before_the_ack_wait_of_what_it_brings() {
    let within = |wait| Pull::new(1, None, &unlimited(), &waiting(wait), Ends::Soon).ends_within();
    assert_eq!(within(Duration::from_secs(30)), Some(EXPIRES_SOON));
    let half = Duration::from_millis(250);
    assert_eq!(within(2 * half), Some(half));
    assert_eq!(within(Duration::from_millis(1)), Some(SHORTEST));
    let mut config = waiting(half);
    config.ack = AckPolicy::None;
    let pull = Pull::new(1, None, &unlimited(), &config, Ends::Soon);
    assert_eq!(pull.ends_within(), None);
}

#[test]
fn a_probe_is_awaited_like_a_request() {
    let mut pull = ahead(2);
    assert_eq!(batch(&mut pull), Some(2));
    let probe = pull.probe();
    pull.taken();
    pull.taken();
    assert!(pull.waits());
    let subject = format!("_INBOX.abc.{}", probe.token);
    assert!(Pull::is_probe(&subject) && !Pull::is_probe("_INBOX.abc.17-1"));
    pull.hear(&Status::Ended(Left::All), &subject);
    assert!(!pull.waits());
}

/// What the next request asks for: messages, and bytes.
fn both(pull: &mut Pull) -> Option<(u64, Option<u64>)> {
    let request = pull.next()?;
    let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
    Some((json["batch"].as_u64()?, json["max_bytes"].as_u64()))
}

fn too_large(left: u32, bytes: impl Into<Option<u64>>) -> Status {
    Status::TooLarge {
        left: Left::Of(left),
        bytes: bytes.into(),
    }
}

#[test]
fn all_requests_together_ask_for_no_more_bytes_than_allowed() {
    let mut pull = Pull {
        bytes: Some(1000),
        ..ahead(10)
    };
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
    for _ in 0..5 {
        pull.taken();
    }
    assert_eq!(both(&mut pull), Some((5, Some(500))));
    // It brought three, and the fourth is for the next request.
    pull.hear(&too_large(5, 40), &subject(10));
    for _ in 0..2 {
        pull.taken();
    }
    assert_eq!(both(&mut pull), Some((7, Some(700))));
    pull.hear(&Status::BytesAtMost(600), &subject(7));
    assert_eq!(both(&mut pull), Some((7, Some(600))));
}

#[test]
fn a_message_that_has_no_room_comes_alone() {
    let mut pull = Pull {
        bytes: Some(1000),
        ..ahead(10)
    };
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
    for left in [Some(1000), None] {
        pull.hear(&too_large(10, left), &subject(10));
        assert_eq!(both(&mut pull), Some((1, None)));
        assert_eq!(both(&mut pull), None, "it comes first");
        pull.taken();
        assert_eq!(both(&mut pull), Some((10, Some(1000))));
    }
    // As it does where nothing else was asked for.
    let alone = Pull::new(
        1,
        Some(1000),
        &unlimited(),
        &waiting(Duration::from_secs(30)),
        Ends::Late,
    );
    assert_eq!(both(&mut alone.clone()), Some((1, None)));
    // What no server could read is as much as there can be.
    let mut most = Pull::new(
        2,
        Some(u64::MAX),
        &unlimited(),
        &waiting(Duration::from_secs(30)),
        Ends::Late,
    );
    assert_eq!(both(&mut most), Some((2, Some(i64::MAX.unsigned_abs()))));
}

#[test]
fn when_all_was_lost_a_large_message_holds_nothing_up() {
    let mut pull = Pull {
        bytes: Some(1000),
        ..ahead(10)
    };
    pull.next();
    pull.hear(&too_large(10, 1000), &subject(10));
    assert_eq!(both(&mut pull), Some((1, None)));
    pull.lost();
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
}

#[test]
fn more_than_was_asked_for_does_no_harm() {
    let mut pull = ahead(2);
    pull.taken();
    pull.hear(&Status::Ended(Left::Of(9)), &subject(9));
    assert_eq!(batch(&mut pull), Some(2));
}

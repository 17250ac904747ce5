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
        acknowledged: Delivered::default(),
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

fn pull(bytes: Option<u64>) -> Pull {
    Pull::new(
        bytes,
        &unlimited(),
        &waiting(Duration::from_secs(30)),
        Ends::Late,
    )
}

/// Requests where a fixed number of messages may be prefetched.
#[derive(Clone)]
struct Ahead {
    pull: Pull,
    room: Room,
}

impl Ahead {
    fn next(&mut self) -> Option<Request> {
        self.pull.next(self.room)
    }
}

impl std::ops::Deref for Ahead {
    type Target = Pull;

    fn deref(&self) -> &Pull {
        &self.pull
    }
}

impl std::ops::DerefMut for Ahead {
    fn deref_mut(&mut self) -> &mut Pull {
        &mut self.pull
    }
}

fn ahead(window: u32) -> Ahead {
    bytes_ahead(window, None)
}

fn bytes_ahead(window: u32, bytes: Option<u64>) -> Ahead {
    Ahead {
        pull: pull(bytes),
        room: Room {
            window,
            held: 0,
            held_bytes: 0,
            adapts: false,
        },
    }
}

fn batch(pull: &mut Ahead) -> Option<u32> {
    let request = pull.next()?;
    let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
    let batch = u32::try_from(json["batch"].as_u64().unwrap()).unwrap();
    assert!(request.token.ends_with(&format!("-{batch}")), "{request:?}");
    Some(batch)
}

fn subject(batch: u32) -> String {
    format!("_INBOX.abc.17-{}-{batch}", 100 * batch)
}

#[test]
fn no_more_is_asked_for_than_may_be_taken_ahead() {
    let mut pull = ahead(10);
    assert_eq!(batch(&mut pull), Some(10));
    assert_eq!(batch(&mut pull), None);
    for _ in 0..4 {
        pull.came();
        assert_eq!(batch(&mut pull), None);
    }
    pull.came();
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
        pull.came();
        assert!(!pull.waits());
    }
}

#[test]
fn what_a_request_did_not_bring_is_asked_for_again() {
    let mut pull = ahead(10);
    pull.next();
    for _ in 0..3 {
        pull.came();
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
        pull.came();
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
    let mut pull = Ahead {
        pull: Pull::new(None, &bound, &waiting(Duration::from_secs(30)), Ends::Late),
        ..ahead(10)
    };
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
    let mut pull = ahead(u32::MAX);
    assert_eq!(
        pull.next().unwrap().payload,
        r#"{"batch":32768,"expires":30000000000,"idle_heartbeat":1000000000}"#
    );
    assert_eq!(batch(&mut ahead(0)), None);
}

#[test]
fn what_has_to_end_soon_ends_before_the_ack_wait_of_what_it_brings() {
    let within = |wait| Pull::new(None, &unlimited(), &waiting(wait), Ends::Soon).ends_within();
    assert_eq!(within(Duration::from_secs(30)), Some(EXPIRES_SOON));
    let half = Duration::from_millis(250);
    assert_eq!(within(2 * half), Some(half));
    assert_eq!(within(Duration::from_millis(1)), Some(SHORTEST));
    let mut config = waiting(half);
    config.ack = AckPolicy::None;
    let pull = Pull::new(None, &unlimited(), &config, Ends::Soon);
    assert_eq!(pull.ends_within(), None);
}

#[test]
fn a_probe_is_awaited_like_a_request() {
    let mut pull = ahead(2);
    assert_eq!(batch(&mut pull), Some(2));
    let probe = pull.probe();
    pull.came();
    pull.came();
    assert!(pull.waits());
    let subject = format!("_INBOX.abc.{}", probe.token);
    assert!(Pull::is_probe(&subject) && !Pull::is_probe("_INBOX.abc.17-1"));
    pull.hear(&Status::Ended(Left::All), &subject);
    assert!(!pull.waits());
}

/// What the next request asks for: messages, and bytes.
fn both(pull: &mut Ahead) -> Option<(u64, Option<u64>)> {
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
    let mut pull = bytes_ahead(10, Some(1000));
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
    for _ in 0..5 {
        pull.came();
    }
    assert_eq!(both(&mut pull), Some((5, Some(500))));
    // It brought three, and the fourth is for the next request.
    pull.hear(&too_large(5, 40), &subject(10));
    for _ in 0..2 {
        pull.came();
    }
    assert_eq!(both(&mut pull), Some((7, Some(700))));
    pull.hear(&Status::BytesAtMost(600), &subject(7));
    assert_eq!(both(&mut pull), Some((7, Some(600))));
}

#[test]
fn a_message_that_has_no_room_comes_alone() {
    let mut pull = bytes_ahead(10, Some(1000));
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
    for left in [Some(1000), None] {
        pull.hear(&too_large(10, left), &subject(10));
        assert_eq!(both(&mut pull), Some((1, None)));
        assert_eq!(both(&mut pull), None, "it comes first");
        pull.came();
        assert_eq!(both(&mut pull), Some((10, Some(1000))));
    }
    // As it does where nothing else was asked for.
    assert_eq!(both(&mut bytes_ahead(1, Some(1000))), Some((1, None)));
    // What no server could read is as much as there can be.
    let mut most = bytes_ahead(2, Some(u64::MAX));
    assert_eq!(both(&mut most), Some((2, Some(i64::MAX.unsigned_abs()))));
}

#[test]
fn when_all_was_lost_a_large_message_holds_nothing_up() {
    let mut pull = bytes_ahead(10, Some(1000));
    pull.next();
    pull.hear(&too_large(10, 1000), &subject(10));
    assert_eq!(both(&mut pull), Some((1, None)));
    pull.lost();
    assert_eq!(both(&mut pull), Some((10, Some(1000))));
}

#[test]
fn more_than_was_asked_for_does_no_harm() {
    let mut pull = ahead(2);
    pull.came();
    pull.hear(&Status::Ended(Left::Of(9)), &subject(9));
    assert_eq!(batch(&mut pull), Some(2));
}

fn adapts(window: u32, held: u32) -> Room {
    Room {
        window,
        held,
        held_bytes: 0,
        adapts: true,
    }
}

#[test]
fn what_came_and_was_not_handed_out_counts() {
    let mut pull = pull(None);
    assert!(pull.next(adapts(10, 6)).is_none());
    assert!(pull.next(adapts(10, 5)).is_some());
    assert_eq!(pull.owed, 5);
    // Half of it was handed out, but not enough of the last request has come.
    for _ in 0..2 {
        pull.came();
        assert!(pull.next(adapts(10, 2)).is_none());
    }
    pull.came();
    assert!(pull.next(adapts(10, 4)).is_none());
    assert!(pull.next(adapts(10, 3)).is_some());
    assert_eq!(pull.owed, 7);
}

#[test]
fn a_window_of_nothing_asks_for_nothing() {
    let mut pull = pull(None);
    assert_eq!(pull.next(adapts(0, 0)), None);
    assert!(pull.next(adapts(1, 0)).is_some());
    assert_eq!(pull.next(adapts(1, 0)), None);
    assert_eq!(pull.next(adapts(0, 1)), None);
}

#[test]
fn a_request_for_many_is_open_for_a_short_time() {
    let expires = |window: u32| {
        let request = pull(None).next(adapts(window, 0)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
        Duration::from_nanos(json["expires"].as_u64().unwrap())
    };
    assert_eq!(expires(FEW), EXPIRES);
    assert_eq!(expires(FEW + 1), EXPIRES_MANY);
    assert_eq!(expires(1000), EXPIRES_MANY);
}

#[test]
fn a_window_that_grows_stays_within_the_bytes() {
    let mut pull = pull(Some(16_000));
    let (mut window, mut open) = (1, std::collections::VecDeque::new());
    for _ in 0..2_000 {
        while let Some(request) = pull.next(adapts(window, 0)) {
            let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
            let batch = json["batch"].as_u64().unwrap();
            // One that is asked for alone may have any size, and is taken to be small.
            let bytes = json["max_bytes"].as_u64().unwrap_or(1_000);
            open.extend((0..batch).map(|_| bytes.div_ceil(batch)));
            let sum: u64 = open.iter().sum();
            assert!(sum <= 16_000 + batch, "{sum} at a window of {window}");
        }
        open.pop_front();
        pull.came();
        window = (window + 1).min(1000);
    }
}

#[test]
fn bytes_that_wait_for_the_caller_count() {
    let mut pull = bytes_ahead(10, Some(1000));
    pull.room.held = 2;
    pull.room.held_bytes = 501;
    assert_eq!(both(&mut pull), None);
    pull.room.held_bytes = 500;
    assert_eq!(both(&mut pull), Some((8, Some(500))));
}

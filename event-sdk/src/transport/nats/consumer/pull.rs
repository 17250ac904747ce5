//! What a subscription has asked its consumer for, and what it asks next.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;

use super::bind::Bound;
use super::status::{Left, Status};
use crate::transport::{AckPolicy, ConsumerConfig};

/// How long the server keeps a request; it is made again after that.
const EXPIRES: Duration = Duration::from_secs(30);

/// The same where its end has to be waited for, by a subscription that leaves.
const EXPIRES_SOON: Duration = Duration::from_secs(2);

/// How often the server says that a request waits still.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Where nothing is heard for this long, the request is lost: three heartbeats,
/// since one may come late.
pub(super) const SILENCE: Duration = Duration::from_secs(3);

/// The most messages that are asked for at once: half of what async-nats keeps
/// for one subscription (`ConnectOptions::subscription_capacity`) before it
/// drops some.
const MOST: u32 = 32_768;

/// The shortest heartbeat that a server takes is a tenth of a second.
const SHORTEST: Duration = Duration::from_millis(200);

/// What was asked for and has not been taken, and how the next request is made.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    /// How many messages may be asked for and not taken.
    prefetch: u32,
    /// How many of them there are.
    owed: u32,
    /// The most that one request may ask for.
    batch: u32,
    /// How many bytes one request may bring; `None`: any number.
    bytes: Option<u64>,
    /// How many the consumer allows to ask for.
    most_bytes: u64,
    /// How long a request is kept.
    expires: Duration,
    /// Whether that is so short that its end can be waited for.
    ends_soon: bool,
    /// How many requests there have been.
    requests: u64,
    /// The last request as it is written, which is mostly the next one too.
    written: Option<(u32, Bytes)>,
}

/// The token of a request for one message that does not wait.
const PROBE: &str = "probe-1";

/// When requests end that are not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Late: the server takes back what it can no longer deliver.
    Late,
    /// So soon that a subscription that leaves can wait for it.
    Soon,
    /// The same, and before the ack wait of what they bring. Not on a server that may
    /// count a delivery to one that has just ended: the two would fall together.
    BeforeAckWait,
}

/// One request for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// What the inbox's subject ends with where the answers come.
    pub(super) token: String,
    /// What is sent.
    pub(super) payload: Bytes,
}

impl Pull {
    /// Nothing was asked for. A consumer may limit the messages of one request and
    /// its wait.
    pub(super) fn new(
        prefetch: usize,
        bytes: Option<u64>,
        bound: &Bound,
        config: &ConsumerConfig,
        ends: Ends,
    ) -> Self {
        let ends_soon = ends != Ends::Late && config.ack != AckPolicy::None;
        let expires = match ends {
            _ if !ends_soon => EXPIRES,
            Ends::BeforeAckWait => EXPIRES_SOON
                .min(config.wait_of_attempt(1) / 2)
                .max(SHORTEST),
            Ends::Late | Ends::Soon => EXPIRES_SOON,
        };
        Self {
            prefetch: u32::try_from(prefetch).unwrap_or(MOST).clamp(1, MOST),
            owed: 0,
            batch: bound.max_batch.unwrap_or(MOST).clamp(1, MOST),
            bytes,
            most_bytes: u64::MAX,
            expires: expires.min(bound.max_expires.unwrap_or(EXPIRES)),
            ends_soon,
            requests: 0,
            written: None,
        }
    }

    /// How long it takes at the most until all requests have ended, where that can be
    /// waited for.
    pub(super) fn ends_within(&self) -> Option<Duration> {
        self.ends_soon.then_some(self.expires)
    }

    /// The next request, if it is time for one: when half of what may be asked
    /// for was taken, so that the rest comes meanwhile.
    pub(super) fn next(&mut self) -> Option<Request> {
        if self.owed > self.prefetch / 2 {
            return None;
        }
        let batch = (self.prefetch - self.owed).min(self.batch);
        self.owed += batch;
        self.requests += 1;
        let payload = match &self.written {
            Some((written, payload)) if *written == batch => payload.clone(),
            _ => self.write(batch),
        };
        Some(Request {
            token: format!("{}-{batch}", self.requests),
            payload,
        })
    }

    /// A request that does not wait: it is answered at once if the consumer has
    /// nothing at hand, and after all that was asked for before if it has.
    pub(super) fn probe(&mut self) -> Request {
        self.owed += 1;
        Request {
            token: PROBE.to_owned(),
            payload: Bytes::from_static(br#"{"batch":1,"no_wait":true}"#),
        }
    }

    /// Whether the answer to a probe comes at this subject.
    pub(super) fn is_probe(subject: &str) -> bool {
        subject.ends_with(PROBE)
    }

    /// A message was taken.
    pub(super) fn taken(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    /// The server says something of a request; `subject` is where its answers
    /// come.
    pub(super) fn hear(&mut self, status: &Status, subject: &str) {
        match status {
            Status::Waiting => {}
            Status::Ended(Left::Of(left)) => self.ended(*left),
            Status::Deleted => self.lost(),
            Status::Ended(Left::All) | Status::Nobody | Status::Crowded | Status::Refused(_) => {
                self.ended_unserved(subject);
            }
            Status::AtMost(most) => {
                self.ended_unserved(subject);
                self.limit_batch(*most);
            }
            Status::NotLonger(longest) => {
                self.ended_unserved(subject);
                self.limit_expires(*longest);
            }
            Status::BytesAtMost(most) => {
                self.ended_unserved(subject);
                self.limit_bytes(*most);
            }
            Status::TooLarge { left, bytes } => {
                match left {
                    Left::Of(left) => self.ended(*left),
                    Left::All => self.ended_unserved(subject),
                }
                if bytes.is_none_or(|bytes| self.bytes == Some(bytes)) {
                    self.make_room();
                }
            }
        }
    }

    fn ended(&mut self, left: u32) {
        self.owed = self.owed.saturating_sub(left);
    }

    /// How much was asked for stands in the subject.
    fn ended_unserved(&mut self, subject: &str) {
        let asked = subject
            .rsplit_once('-')
            .and_then(|(_, batch)| batch.parse().ok());
        self.ended(asked.unwrap_or(self.owed));
    }

    /// All requests were lost.
    pub(super) fn lost(&mut self) {
        self.owed = 0;
    }

    /// Whether something is awaited.
    pub(super) fn waits(&self) -> bool {
        self.owed > 0
    }

    fn limit_batch(&mut self, most: u32) {
        self.batch = self.batch.min(most).max(1);
    }

    fn limit_expires(&mut self, longest: Duration) {
        self.expires = self.expires.min(longest);
        self.written = None;
    }

    fn limit_bytes(&mut self, most: u64) {
        self.most_bytes = self.most_bytes.min(most);
        self.bytes = self.bytes.map(|bytes| bytes.min(most));
        self.written = None;
    }

    /// A request brought nothing, for the first message alone is larger than all that
    /// was asked for. No request that asks for as little ever brings it.
    fn make_room(&mut self) {
        let more = self.bytes.and_then(|bytes| bytes.checked_mul(2));
        self.bytes = more.filter(|more| *more <= self.most_bytes);
        self.written = None;
    }

    fn write(&mut self, batch: u32) -> Bytes {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = write!(
            text,
            r#"{{"batch":{batch},"expires":{}"#,
            self.expires.as_nanos()
        );
        if let Some(bytes) = self.bytes {
            let _ = write!(text, r#","max_bytes":{bytes}"#);
        }
        // A heartbeat is at most half as long as the request is kept. One that is
        // kept for a shorter time says soon enough that it has ended.
        let heartbeat = HEARTBEAT.min(self.expires / 2);
        if heartbeat * 2 >= SHORTEST {
            let _ = write!(text, r#","idle_heartbeat":{}"#, heartbeat.as_nanos());
        }
        text.push('}');
        let payload = Bytes::from(text);
        self.written = Some((batch, payload.clone()));
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::ConsumerName;

    fn unlimited() -> Bound {
        Bound {
            stream: "S".into(),
            name: "c".into(),
            created: None,
            next: 0,
            found_idle: None,
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
        let within = |wait| {
            Pull::new(1, None, &unlimited(), &waiting(wait), Ends::BeforeAckWait).ends_within()
        };
        assert_eq!(within(Duration::from_secs(30)), Some(EXPIRES_SOON));
        let half = Duration::from_millis(250);
        assert_eq!(within(2 * half), Some(half));
        assert_eq!(within(Duration::from_millis(1)), Some(SHORTEST));
        let mut config = waiting(half);
        config.ack = AckPolicy::None;
        let pull = Pull::new(1, None, &unlimited(), &config, Ends::BeforeAckWait);
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

    fn max_bytes(pull: &mut Pull) -> Option<u64> {
        let request = pull.next().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
        json["max_bytes"].as_u64()
    }

    #[test]
    fn bytes_are_limited_until_a_message_needs_more() {
        let mut pull = Pull {
            bytes: Some(1000),
            ..ahead(10)
        };
        let too_large = |left, bytes| Status::TooLarge {
            left: Left::Of(left),
            bytes,
        };
        assert_eq!(max_bytes(&mut pull), Some(1000));
        // It brought three, and the fourth is for the next request.
        for _ in 0..3 {
            pull.taken();
        }
        pull.hear(&too_large(7, Some(40)), &subject(10));
        assert_eq!(max_bytes(&mut pull), Some(1000));
        pull.hear(&too_large(10, Some(1000)), &subject(10));
        assert_eq!(max_bytes(&mut pull), Some(2000));
        // A server that does not say how many bytes were left.
        pull.hear(&too_large(10, None), &subject(10));
        assert_eq!(max_bytes(&mut pull), Some(4000));
        pull.hear(&Status::BytesAtMost(3000), &subject(10));
        assert_eq!(max_bytes(&mut pull), Some(3000));
        // More than the consumer allows to name: any number is asked for.
        pull.hear(&too_large(10, Some(3000)), &subject(10));
        assert_eq!(max_bytes(&mut pull), None);
    }

    #[test]
    fn more_than_was_asked_for_does_no_harm() {
        let mut pull = ahead(2);
        pull.taken();
        pull.hear(&Status::Ended(Left::Of(9)), &subject(9));
        assert_eq!(batch(&mut pull), Some(2));
    }
}

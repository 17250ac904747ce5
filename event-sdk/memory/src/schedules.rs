//! `Schedules`: the messages of a stream that wait for their time, by key and by time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use event_sdk_clock::Clock;
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::Body;

/// The waiting messages of a stream.
///
/// Their times are measured by how long the clock has run, like the ages of messages: setting the
/// time of day neither fires nor delays one.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    by_key: BTreeMap<Text, Waiting>,
    by_time: BTreeMap<Place, Text>,
    /// How many were ever put, so that those of one time stay in order.
    count: u64,
    bytes: u64,
    /// The keys that fired last, the newest behind.
    fired: VecDeque<Text>,
    /// For how long the machine had been suspended when the times were set.
    suspended: Duration,
}

/// Where a schedule stands in the order of firing: its time by how long the clock has run, and its
/// number.
type Place = (Duration, u64);

/// A message that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) subject: Subject,
    pub(super) headers: Headers,
    pub(super) body: Body,
    /// What it counts against a limit in bytes.
    pub(super) size: u64,
    pub(super) at: Timestamp,
    pub(super) scheduled_at: Timestamp,
    place: Place,
}

impl Waiting {
    /// A message that is scheduled now.
    pub(super) fn new(
        subject: Subject,
        headers: Headers,
        body: Body,
        size: u64,
        at: Timestamp,
        clock: &dyn Clock,
    ) -> Self {
        let now = clock.now();
        let left = at.duration_since(now).max(SignedDuration::ZERO);
        let due = clock.monotonic().saturating_add(left.unsigned_abs());
        Self {
            subject,
            headers,
            body,
            size,
            at,
            scheduled_at: now,
            place: (due, 0),
        }
    }
}

/// What counts as a suspension, and by how much its length may be wrong
/// ([`Clock::suspended`]).
const SUSPENSION: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_millis(50);

/// How many fired keys are remembered.
pub(super) const MAX_FIRED: usize = 1_000;

impl Schedules {
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// How many messages wait, and their bytes, without the one of `key`.
    pub(super) fn beside(&self, key: &str) -> (u64, u64) {
        let own = self.by_key.get(key);
        let count = self.by_key.len() as u64 - u64::from(own.is_some());
        (count, self.bytes - own.map_or(0, |own| own.size))
    }

    /// Brings forward what waits by the time for which the machine was suspended since, when the
    /// clock did not run.
    pub(super) fn notice_suspension(&mut self, suspended: Duration) {
        let since = suspended.saturating_sub(self.suspended);
        if since < SUSPENSION {
            return;
        }
        self.suspended = suspended;
        self.by_time.clear();
        for (key, message) in &mut self.by_key {
            // Rather late by the error of the measurement than early.
            message.place.0 = message
                .place
                .0
                .saturating_sub(since.saturating_sub(MEASURED));
            self.by_time.insert(message.place, key.clone());
        }
    }

    /// Adds a message; the one that it replaces.
    pub(super) fn put(
        &mut self,
        key: Text,
        mut message: Waiting,
        suspended: Duration,
    ) -> Option<Waiting> {
        if self.is_empty() {
            self.suspended = suspended;
        }
        let replaced = self.remove(&key);
        self.count += 1;
        message.place.1 = self.count;
        self.bytes += message.size;
        self.by_time.insert(message.place, key.clone());
        self.by_key.insert(key, message);
        replaced
    }

    /// Takes the message of a key away.
    pub(super) fn remove(&mut self, key: &str) -> Option<Waiting> {
        let message = self.by_key.remove(key)?;
        self.by_time.remove(&message.place);
        self.bytes -= message.size;
        Some(message)
    }

    /// Takes all messages away; their number.
    pub(super) fn clear(&mut self) -> u64 {
        let count = self.by_key.len() as u64;
        self.by_key.clear();
        self.by_time.clear();
        self.bytes = 0;
        count
    }

    /// Takes the next message whose time has come when the clock has run so long.
    pub(super) fn take_due(&mut self, ran: Duration) -> Option<Waiting> {
        if !self.is_due(ran) {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        let message = self.by_key.remove(&key)?;
        self.bytes -= message.size;
        if self.fired.len() == MAX_FIRED {
            self.fired.pop_front();
        }
        self.fired.push_back(key);
        Some(message)
    }

    /// Whether a message is due when the clock has run so long.
    pub(super) fn is_due(&self, ran: Duration) -> bool {
        let next = self.by_time.first_key_value();
        next.is_some_and(|((due, _), _)| *due <= ran)
    }

    /// When the next message is due, as a deadline of the clock.
    pub(super) fn alarm(&self) -> Option<Duration> {
        let ((due, _), _) = self.by_time.first_key_value()?;
        Some(*due)
    }

    /// Whether the key is one of those that fired last.
    pub(super) fn has_fired(&self, key: &str) -> bool {
        self.fired.iter().any(|fired| *fired == key)
    }

    /// The messages whose keys begin with `prefix` and a dot, or all, by their keys.
    pub(super) fn below(&self, prefix: &str) -> impl Iterator<Item = (&Text, &Waiting)> {
        let from = self
            .by_key
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        from.take_while(move |(key, _)| key.starts_with(prefix))
            .filter(move |(key, _)| {
                let rest = key.get(prefix.len()..);
                prefix.is_empty() || rest.is_some_and(|rest| rest.starts_with('.'))
            })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use event_sdk_clock::SteppedClock;

    use super::*;

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn put(schedules: &mut Schedules, clock: &SteppedClock, key: &'static str, after: i64) {
        let subject = Subject::parse(format!("s.{key}")).unwrap();
        let body = Body::Encoded(Bytes::from_static(b"{}"));
        let at = clock.now() + SignedDuration::from_secs(after);
        let message = Waiting::new(subject, Headers::new(), body, 10, at, clock);
        schedules.put(key.into(), message, Duration::ZERO);
    }

    fn due(schedules: &mut Schedules, ran: Duration) -> Vec<String> {
        let mut fired = Vec::new();
        while let Some(message) = schedules.take_due(ran) {
            fired.push(message.subject.to_string());
        }
        fired
    }

    #[test]
    fn messages_fire_by_time_and_then_in_their_order() {
        let (mut schedules, clock) = (Schedules::default(), SteppedClock::new());
        let begun = clock.monotonic();
        for (key, after) in [("c", 2), ("a", 1), ("b", 1), ("past", -9)] {
            put(&mut schedules, &clock, key, after);
        }
        assert_eq!(schedules.beside(""), (4, 40));
        assert_eq!(schedules.beside("a"), (3, 30));
        assert_eq!(due(&mut schedules, begun), ["s.past"]);
        assert_eq!(due(&mut schedules, begun + second(1)), ["s.a", "s.b"]);
        assert_eq!(due(&mut schedules, begun + second(9)), ["s.c"]);
        assert!(schedules.is_empty() && schedules.by_time.is_empty());
        assert_eq!(schedules.beside(""), (0, 0));
        assert!(schedules.has_fired("a") && !schedules.has_fired("d"));
    }

    #[test]
    fn a_key_has_one_message() {
        let (mut schedules, clock) = (Schedules::default(), SteppedClock::new());
        let begun = clock.monotonic();
        put(&mut schedules, &clock, "a", 1);
        put(&mut schedules, &clock, "a", 3);
        assert_eq!(schedules.beside(""), (1, 10));
        assert_eq!(due(&mut schedules, begun + second(2)), [""; 0]);
        assert_eq!(schedules.alarm(), Some(begun + second(3)));
        assert!(schedules.remove("a").is_some() && schedules.remove("a").is_none());
        assert_eq!(schedules.alarm(), None);
    }

    #[test]
    fn a_suspension_brings_messages_forward_and_never_too_far() {
        let (mut schedules, clock) = (Schedules::default(), SteppedClock::new());
        let begun = clock.monotonic();
        put(&mut schedules, &clock, "a", 100);
        // An error of the measurement is no suspension.
        schedules.notice_suspension(Duration::from_millis(999));
        assert_eq!(schedules.alarm(), Some(begun + second(100)));
        schedules.notice_suspension(second(60));
        schedules.notice_suspension(second(60));
        let alarm = schedules.alarm().unwrap();
        assert_eq!(alarm, begun + second(40) + MEASURED);
        assert_eq!(due(&mut schedules, alarm), ["s.a"]);
        // What is scheduled after that waits its own time.
        let subject = Subject::parse("s.b").unwrap();
        let body = Body::Encoded(Bytes::new());
        let at = clock.now() + SignedDuration::from_secs(5);
        let message = Waiting::new(subject, Headers::new(), body, 1, at, &clock);
        schedules.put("b".into(), message, second(60));
        schedules.notice_suspension(second(60));
        assert_eq!(schedules.alarm(), Some(begun + second(5)));
    }

    #[test]
    fn a_prefix_is_made_of_whole_tokens() {
        let (mut schedules, clock) = (Schedules::default(), SteppedClock::new());
        for key in ["a.b", "a", "a-c", "a.c.d", "b.a"] {
            put(&mut schedules, &clock, key, 1);
        }
        let below = |prefix| -> Vec<_> {
            let found = schedules.below(prefix);
            found.map(|(key, _)| key.as_str()).collect()
        };
        assert_eq!(below("a"), ["a.b", "a.c.d"]);
        assert_eq!(below("a.c"), ["a.c.d"]);
        assert_eq!(below(""), ["a", "a-c", "a.b", "a.c.d", "b.a"]);
    }

    #[test]
    fn fired_keys_are_forgotten() {
        let (mut schedules, clock) = (Schedules::default(), SteppedClock::new());
        put(&mut schedules, &clock, "first", 0);
        due(&mut schedules, clock.monotonic());
        assert!(schedules.has_fired("first"));
        for _ in 0..MAX_FIRED {
            put(&mut schedules, &clock, "later", 0);
            due(&mut schedules, clock.monotonic());
        }
        assert!(!schedules.has_fired("first") && schedules.has_fired("later"));
        assert_eq!(schedules.fired.len(), MAX_FIRED);
    }
}

//! `LeaseEntry`: the text that a lease has in the coordination bucket, and the id of its owner.

use std::fmt::{self, Write as _};
use std::time::Duration;

use uuid::Uuid;

/// The id of one owner: each process makes a new one for each consumer, so that a restarted process
/// is another owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OwnerId(pub(crate) Uuid);

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The value of a lease: `owner=<uuid> term_ms=15000 counter=7`.
///
/// The words may stand in any order, and a reader ignores those that it does not know. The counter
/// differs in each write of an owner, so that the owner recognizes a write whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LeaseEntry {
    /// The owner.
    pub(crate) owner: OwnerId,
    /// How long the lease is valid after a renewal was sent.
    pub(crate) term: Duration,
    /// The number of this write among those of the owner.
    pub(crate) counter: u64,
}

impl LeaseEntry {
    /// The longest term that a reader believes: a contender waits for no longer, whatever the
    /// entry says.
    pub(crate) const LONGEST_TERM: Duration = Duration::from_secs(3_600);

    /// Writes the value.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::with_capacity(80);
        let term = self.term.as_millis();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "owner={} term_ms={term} counter={}",
            self.owner, self.counter
        );
        text
    }

    /// Reads the value; `None` if it is not the value of a lease.
    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let (mut owner, mut term, mut counter) = (None, None, None);
        for (name, value) in text
            .split_ascii_whitespace()
            .filter_map(|w| w.split_once('='))
        {
            match name {
                "owner" => owner = Some(OwnerId(value.parse().ok()?)),
                "term_ms" => term = Some(Duration::from_millis(value.parse().ok()?)),
                "counter" => counter = Some(value.parse().ok()?),
                _ => {}
            }
        }
        Some(Self {
            owner: owner?,
            term: term?.min(Self::LONGEST_TERM),
            counter: counter?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LeaseEntry {
        LeaseEntry {
            owner: OwnerId(Uuid::from_u128(0xfeed)),
            term: Duration::from_secs(15),
            counter: 7,
        }
    }

    #[test]
    fn the_value_is_words_that_a_person_can_read() {
        let text = "owner=00000000-0000-0000-0000-00000000feed term_ms=15000 counter=7";
        assert_eq!(entry().encode(), text);
        assert_eq!(LeaseEntry::decode(text.as_bytes()), Some(entry()));
    }

    #[test]
    fn words_of_a_newer_version_are_ignored_in_any_order() {
        let text = "counter=7 zone=eu  term_ms=15000\nowner=00000000-0000-0000-0000-00000000feed x";
        assert_eq!(LeaseEntry::decode(text.as_bytes()), Some(entry()));
    }

    #[test]
    fn a_term_is_not_believed_beyond_the_longest() {
        let text = format!("owner={} term_ms={} counter=1", Uuid::nil(), u64::MAX);
        let read = LeaseEntry::decode(text.as_bytes()).unwrap();
        assert_eq!(read.term, LeaseEntry::LONGEST_TERM);
    }

    #[test]
    fn what_is_not_a_lease_is_refused() {
        let id = Uuid::nil();
        for text in [
            String::new(),
            format!("owner={id} term_ms=1"),
            format!("owner={id} counter=1"),
            "term_ms=1 counter=1".to_owned(),
            "owner=me term_ms=1 counter=1".to_owned(),
            format!("owner={id} term_ms=-1 counter=1"),
            format!("owner={id} term_ms=1 counter=1e3"),
        ] {
            assert_eq!(LeaseEntry::decode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(LeaseEntry::decode(&[0xff, b'=']), None);
    }
}

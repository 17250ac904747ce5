//! `Reason`: why an event is dead, beside its record, so that a crash before its letter loses nothing.

use std::fmt;

use event_sdk::dead_letters::{DeadLetter, DeadLetterClass};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::database::FoundRecord;

/// Why an event is dead. It has summaries of errors, and no data of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    class: DeadLetterClass,
    errors: Vec<String>,
    attempts: u32,
    first_failure: Timestamp,
    last_failure: Timestamp,
}

impl Reason {
    pub(crate) fn of(letter: &DeadLetter) -> Self {
        Self {
            class: letter.class.clone(),
            errors: letter.errors.clone(),
            attempts: letter.attempts,
            first_failure: letter.first_failure,
            last_failure: letter.last_failure,
        }
    }

    /// The letter, with this reason.
    pub(crate) fn into_letter(self, letter: &DeadLetter) -> DeadLetter {
        let mut letter = letter.clone();
        letter.class = self.class;
        letter.errors = self.errors;
        letter.attempts = self.attempts;
        letter.first_failure = self.first_failure;
        letter.last_failure = self.last_failure;
        letter
    }

    pub(crate) fn to_json(&self) -> String {
        json!({
            "class": self.class.as_str(),
            "errors": self.errors,
            "attempts": self.attempts,
            "first_failure": self.first_failure.to_string(),
            "last_failure": self.last_failure.to_string(),
        })
        .to_string()
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let errors = value.get("errors")?.as_array()?.iter();
        let time = |name: &str| value.get(name)?.as_str()?.parse().ok();
        Some(Self {
            class: DeadLetterClass::from_text(value.get("class")?.as_str()?),
            errors: errors
                .map(|it| it.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            attempts: u32::try_from(value.get("attempts")?.as_u64()?).ok()?,
            first_failure: time("first_failure")?,
            last_failure: time("last_failure")?,
        })
    }
}

/// The reason of a record; `None` if it cannot be read.
pub(crate) fn dead_before(found: &FoundRecord) -> Option<Reason> {
    found.reason.as_deref().and_then(Reason::from_json)
}

/// Whether a record proves that no effect of its event was committed: it is dead, and not because the
/// event was older than the retention.
pub(super) fn proves_undone(found: &FoundRecord) -> bool {
    let is_too_old = |reason: Reason| reason.errors.iter().any(|it| it.ends_with(TOO_OLD));
    found.is_dead && !dead_before(found).is_some_and(is_too_old)
}

/// The end of the error text for an event that is older than the retention of the inbox.
pub(super) const TOO_OLD: &str = "older than the retention of the inbox; see `accept_older`";

/// The event was given up before.
#[derive(Debug)]
pub(super) struct DeadBefore(pub(super) Option<Reason>);

impl fmt::Display for DeadBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event was given up before")?;
        if let Some(reason) = &self.0 {
            write!(f, " ({} after {} attempts)", reason.class, reason.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for DeadBefore {}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use event_sdk::dead_letters::Origin;

    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        let failed = Timestamp::from_microsecond(1_700_000_000_123_456).unwrap();
        let origin = Origin::new("EVENTS", 7, "events.orders.order.placed", "events");
        let class = DeadLetterClass::RetryExhausted;
        let mut letter = DeadLetter::new("billing", origin, class, failed, Bytes::new());
        letter.errors = vec!["CardDeclined: \"declined\"".to_owned(), "io".to_owned()];
        letter.attempts = 5;
        let reason = Reason::of(&letter);
        assert_eq!(Reason::from_json(&reason.to_json()), Some(reason.clone()));
        let mut later = letter.clone();
        later.class = DeadLetterClass::Rejected;
        later.errors = Vec::new();
        later.attempts = 1;
        assert_eq!(reason.into_letter(&later), letter);
        assert_eq!(Reason::from_json("{}"), None);
        assert_eq!(Reason::from_json("null"), None);
    }
}

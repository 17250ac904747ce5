//! `LetterRow`: a dead letter as a row.

use std::fmt;

use event_sdk::dead_letters::{
    DeadLetter, DeadLetterClass, LetterState, LetterStatus, LetterSummary, Origin, QueuedLetter,
};
use event_sdk::text::Text;
use event_sdk_store::outbox::{headers_from_json, headers_to_json};
use jiff::Timestamp;
use uuid::Uuid;

/// A dead letter as a row. Times are in microseconds since 1970.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LetterRow {
    pub id: i64,
    pub consumer: String,
    /// What identifies the event: stream and sequence, or its id on a transport without streams.
    pub identity: String,
    pub redrive: i64,
    pub stream: String,
    pub sequence: i64,
    pub subject: String,
    pub prefix: Option<String>,
    pub event_id: Option<Uuid>,
    pub event_type: Option<String>,
    pub event_key: Option<String>,
    pub sequenced: bool,
    pub class: String,
    /// A JSON array of texts.
    pub errors: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub first_failure: i64,
    pub last_failure: i64,
    /// A JSON object; `None` without headers.
    pub headers: Option<String>,
    pub status: String,
    pub status_at: Option<i64>,
    pub status_by: Option<String>,
    pub status_note: Option<String>,
    pub retry_sequence: Option<i64>,
    pub body_length: i64,
    /// `None` if it was not read.
    pub body: Option<Vec<u8>>,
}

impl fmt::Debug for LetterRow {
    /// Without key, headers and body, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LetterRow")
            .field("id", &self.id)
            .field("consumer", &self.consumer)
            .field("stream", &self.stream)
            .field("sequence", &self.sequence)
            .field("redrive", &self.redrive)
            .field("class", &self.class)
            .field("status", &self.status)
            .field("body_length", &self.body_length)
            .finish_non_exhaustive()
    }
}

impl LetterRow {
    /// The row of a new letter.
    pub(crate) fn of(letter: &DeadLetter) -> Self {
        let origin = &letter.origin;
        Self {
            id: 0,
            consumer: letter.consumer.to_string(),
            identity: identity(letter),
            redrive: i64::from(letter.redrive),
            stream: origin.stream.to_string(),
            sequence: i64::try_from(origin.sequence).unwrap_or(i64::MAX),
            subject: origin.subject.to_string(),
            prefix: origin.prefix.as_ref().map(ToString::to_string),
            event_id: letter.event_id,
            event_type: letter.event_type.as_ref().map(ToString::to_string),
            event_key: letter.key.clone(),
            sequenced: letter.sequenced,
            class: letter.class.as_str().to_owned(),
            errors: serde_json::Value::from(letter.errors.clone()).to_string(),
            reason: letter.reason.clone(),
            attempts: i64::from(letter.attempts),
            first_failure: letter.first_failure.as_microsecond(),
            last_failure: letter.last_failure.as_microsecond(),
            headers: headers_to_json(&letter.headers),
            body_length: i64::try_from(letter.body.len()).unwrap_or(i64::MAX),
            body: Some(letter.body.to_vec()),
            ..Self::with_state(&LetterState::open())
        }
    }

    /// A row with only the columns of a state.
    pub(crate) fn with_state(state: &LetterState) -> Self {
        let retry = state.retry_sequence;
        Self {
            status: state.status.as_str().to_owned(),
            status_at: state.at.map(Timestamp::as_microsecond),
            status_by: state.by.clone(),
            status_note: state.note.clone(),
            retry_sequence: retry.map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
            ..Self::default()
        }
    }

    /// The id of the letter.
    pub(crate) fn letter_id(&self) -> u64 {
        u64::try_from(self.id).unwrap_or(0)
    }

    fn state(&self) -> LetterState {
        let mut state = LetterState::open();
        state.status = LetterStatus::from_text(&self.status);
        state.at = self.status_at.and_then(time);
        state.by.clone_from(&self.status_by);
        state.note.clone_from(&self.status_note);
        state.retry_sequence = self.retry_sequence.and_then(|it| u64::try_from(it).ok());
        state
    }

    /// Without the body.
    pub(crate) fn summary(&self) -> LetterSummary {
        let mut summary = LetterSummary::new(self.letter_id(), &self.letter());
        summary.state = self.state();
        summary.body_len = usize::try_from(self.body_length).unwrap_or(0);
        summary
    }

    /// The whole letter.
    pub(crate) fn queued(&self) -> QueuedLetter {
        QueuedLetter::new(self.letter_id(), self.letter(), self.state())
    }

    fn letter(&self) -> DeadLetter {
        let text = |text: &Option<String>| text.clone().map(Text::from);
        let sequence = u64::try_from(self.sequence).unwrap_or(0);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let origin = Origin::new(self.stream.clone(), sequence, self.subject.clone(), prefix);
        let last = time(self.last_failure).unwrap_or(Timestamp::UNIX_EPOCH);
        let body = self.body.clone().unwrap_or_default();
        let class = DeadLetterClass::from_text(&self.class);
        let mut letter = DeadLetter::new(self.consumer.clone(), origin, class, last, body.into());
        letter.event_id = self.event_id;
        letter.event_type = text(&self.event_type);
        letter.key.clone_from(&self.event_key);
        letter.sequenced = self.sequenced;
        letter.redrive = u32::try_from(self.redrive).unwrap_or(u32::MAX);
        letter.errors = serde_json::from_str(&self.errors).unwrap_or_default();
        letter.reason.clone_from(&self.reason);
        letter.attempts = u32::try_from(self.attempts).unwrap_or(u32::MAX);
        letter.first_failure = time(self.first_failure).unwrap_or(last);
        letter.headers = headers_from_json(self.headers.as_deref()).unwrap_or_default();
        letter
    }
}

/// What identifies the event of a letter among those of its consumer.
fn identity(letter: &DeadLetter) -> String {
    let origin = &letter.origin;
    match letter.event_id {
        _ if !origin.stream.is_empty() => format!("{}/{}", origin.stream, origin.sequence),
        Some(id) => id.to_string(),
        None => Uuid::new_v4().to_string(),
    }
}

fn time(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros).ok()
}

#[cfg(test)]
mod tests {
    use super::LetterRow;

    #[test]
    fn keys_headers_and_bodies_are_not_shown() {
        let row = LetterRow {
            id: 7,
            event_key: Some("ada@example.com".to_owned()),
            headers: Some(r#"{"Mail":"ada@example.com"}"#.to_owned()),
            body: Some(b"ada@example.com".to_vec()),
            ..LetterRow::default()
        };
        let shown = format!("{row:?}");
        let bytes = format!("{:?}", b"ada");
        let bytes = bytes.trim_matches(['[', ']']);
        assert!(!shown.contains("ada") && !shown.contains(bytes), "{shown}");
        assert!(shown.contains("id: 7"), "{shown}");
    }
}

//! `Row`: a letter as JSON, without data of its event.

use event_sdk::dead_letters::LetterSummary;
use jiff::Timestamp;
use serde::Serialize;

/// A letter as JSON. It has no data of the event.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) consumer: String,
    /// The stream of the original message, and its sequence there.
    pub(super) stream: String,
    pub(super) sequence: u64,
    pub(super) subject: String,
    pub(super) event_id: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) class: String,
    /// The error and its sources, the outermost first, without values.
    pub(super) errors: Vec<String>,
    pub(super) attempts: u32,
    /// How often the event was redriven before it failed this time.
    pub(super) redrive: u32,
    pub(super) first_failure: Timestamp,
    pub(super) last_failure: Timestamp,
    /// Whether later events of its key wait for it.
    pub(super) holds_its_key: bool,
    pub(super) status: String,
    pub(super) status_at: Option<Timestamp>,
    pub(super) status_by: Option<String>,
    pub(super) status_because: Option<String>,
    /// The sequence of the redriven event in the retry stream.
    pub(super) retry_sequence: Option<u64>,
    pub(super) body_bytes: usize,
}

impl Row {
    pub(super) fn new(letter: &LetterSummary) -> Self {
        let (origin, state) = (&letter.origin, &letter.state);
        Self {
            id: letter.id,
            consumer: letter.consumer.to_string(),
            stream: origin.stream.to_string(),
            sequence: origin.sequence,
            subject: origin.subject.to_string(),
            event_id: letter.event_id.map(|id| id.to_string()),
            event_type: letter.event_type.as_ref().map(ToString::to_string),
            class: letter.class.to_string(),
            errors: letter.errors.clone(),
            attempts: letter.attempts,
            redrive: letter.redrive,
            first_failure: letter.first_failure,
            last_failure: letter.last_failure,
            holds_its_key: letter.holds_its_key(),
            status: state.status.as_str().to_owned(),
            status_at: state.at,
            status_by: state.by.clone(),
            status_because: state.note.clone(),
            retry_sequence: state.retry_sequence,
            body_bytes: letter.body_len,
        }
    }

    /// The type of the event, or its subject.
    pub(super) fn event(&self) -> String {
        self.event_type
            .clone()
            .unwrap_or_else(|| self.subject.clone())
    }

    /// The status, and whether the key waits.
    pub(super) fn status(&self) -> String {
        if self.holds_its_key {
            format!("{}, holds its key", self.status)
        } else {
            self.status.clone()
        }
    }
}

/// The most ids that a sentence names.
const IDS: usize = 20;

/// Ids for a sentence: the first ones, and how many more there are.
pub(super) fn ids(ids: &[u64]) -> String {
    let named: Vec<_> = ids.iter().take(IDS).map(u64::to_string).collect();
    let text = named.join(", ");
    match ids.len().saturating_sub(IDS) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

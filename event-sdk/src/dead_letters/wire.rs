//! Headers of dead letters: names, writing and reading. `docs/dead-letters.md` specifies them.

use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Body, StoredMessage};
use jiff::Timestamp;

use super::area::bounded_key;
use super::class::DeadLetterClass;
use super::escaping::{escaped, unescaped, unescaped_text};
use super::letter::{DeadLetter, Origin};
use crate::partition::OwnerEpoch;

/// What every header of a letter begins with.
const PREFIX: &str = "Dead-Letter-";

pub(super) const CONSUMER: &str = "Dead-Letter-Consumer";
pub(super) const CLASS: &str = "Dead-Letter-Class";
pub(super) const ERROR: &str = "Dead-Letter-Error";
const REASON: &str = "Dead-Letter-Reason";
pub(super) const STREAM: &str = "Dead-Letter-Stream";
pub(super) const SEQUENCE: &str = "Dead-Letter-Sequence";
pub(super) const SUBJECT: &str = "Dead-Letter-Subject";
pub(super) const SUBJECT_PREFIX: &str = "Dead-Letter-Prefix";
pub(super) const EVENT_ID: &str = "Dead-Letter-Event-Id";
pub(super) const EVENT_TYPE: &str = "Dead-Letter-Event-Type";
pub(super) const KEY: &str = "Dead-Letter-Key";
pub(super) const SEQUENCED: &str = "Dead-Letter-Sequenced";
pub(super) const REST: &str = "Dead-Letter-Rest";
pub(super) const LENGTH: &str = "Dead-Letter-Body-Length";
pub(super) const HEADERS_LENGTH: &str = "Dead-Letter-Headers-Length";
pub(super) const OWNER: &str = "Dead-Letter-Owner";
pub(super) const REDRIVE: &str = "Dead-Letter-Redrive";
pub(super) const ATTEMPTS: &str = "Dead-Letter-Attempts";
pub(super) const FIRST_FAILURE: &str = "Dead-Letter-First-Failure";
pub(super) const LAST_FAILURE: &str = "Dead-Letter-Last-Failure";

/// The most bytes of one text in a header.
pub(super) const MAX_TEXT: usize = 3000;
/// The most bytes of one summary in the chain of errors, and the most summaries.
const MAX_ERROR: usize = 400;
const MAX_ERRORS: usize = 8;

/// The headers of a letter: its fields, the owner that stores it, and the original headers that are
/// kept.
pub(super) fn headers_of(
    letter: &DeadLetter,
    owner: Option<OwnerEpoch>,
) -> Result<Headers, InvalidHeader> {
    let mut headers = kept(&letter.headers)?;
    write_origin(&mut headers, &letter.consumer, &letter.origin)?;
    headers.insert(CLASS, escaped(letter.class.as_str(), MAX_TEXT))?;
    let errors = letter.errors.iter().take(MAX_ERRORS);
    let errors: Vec<String> = errors.map(|error| escaped(error, MAX_ERROR)).collect();
    if !errors.is_empty() {
        headers.insert(ERROR, errors.join("; "))?;
    }
    if let Some(reason) = &letter.reason {
        headers.insert(REASON, escaped(reason, MAX_TEXT))?;
    }
    if let Some(id) = letter.event_id {
        headers.insert(EVENT_ID, id.to_string())?;
    }
    if let Some(event_type) = &letter.event_type {
        headers.insert(EVENT_TYPE, escaped(event_type, MAX_TEXT))?;
    }
    if let Some(key) = &letter.key {
        headers.insert(KEY, escaped(&bounded_key(key), MAX_TEXT))?;
    }
    if letter.sequenced {
        headers.insert(SEQUENCED, "true")?;
    }
    headers.insert(REDRIVE, letter.redrive.to_string())?;
    headers.insert(ATTEMPTS, letter.attempts.to_string())?;
    headers.insert(FIRST_FAILURE, letter.first_failure.to_string())?;
    headers.insert(LAST_FAILURE, letter.last_failure.to_string())?;
    if let Some(owner) = owner {
        write_owner(&mut headers, owner)?;
    }
    Ok(headers)
}

/// Writes which owner stores a letter or parked event, or takes over.
pub(super) fn write_owner(headers: &mut Headers, owner: OwnerEpoch) -> Result<(), InvalidHeader> {
    let OwnerEpoch { partition, number } = owner;
    headers.insert(OWNER, format!("{partition}.{number}"))?;
    Ok(())
}

/// Reads it.
pub(super) fn read_owner(headers: &Headers) -> Option<OwnerEpoch> {
    let (partition, number) = headers.get(OWNER)?.split_once('.')?;
    Some(OwnerEpoch::new(
        partition.parse().ok()?,
        number.parse().ok()?,
    ))
}

/// Reads a letter; `None` if a header is missing that every letter has, or is malformed.
pub(super) fn letter_of(message: &StoredMessage) -> Option<DeadLetter> {
    let headers = &message.headers;
    let (consumer, origin) = read_origin(headers)?;
    let class = DeadLetterClass::from_text(&unescaped(headers.get(CLASS)?));
    let failed = read_time(headers, LAST_FAILURE).unwrap_or(message.stored_at);
    let Body::Encoded(body) = &message.body else {
        return None;
    };
    let mut letter = DeadLetter::new(consumer, origin, class, failed, body.clone());
    letter.first_failure = read_time(headers, FIRST_FAILURE).unwrap_or(failed);
    letter.errors = match headers.get(ERROR) {
        Some(errors) => errors.split("; ").map(unescaped).collect(),
        None => Vec::new(),
    };
    letter.reason = headers.get(REASON).map(unescaped);
    letter.event_id = headers.get(EVENT_ID).and_then(|id| id.parse().ok());
    letter.event_type = headers.get(EVENT_TYPE).map(unescaped_text);
    letter.key = headers.get(KEY).map(unescaped);
    letter.sequenced = headers.get(SEQUENCED).is_some();
    letter.redrive = read_number(headers, REDRIVE).unwrap_or(0);
    letter.attempts = read_number(headers, ATTEMPTS).unwrap_or(1);
    letter.headers = kept(headers).ok()?;
    Some(letter)
}

/// Writes the consumer and the place of the original message.
pub(super) fn write_origin(
    headers: &mut Headers,
    consumer: &str,
    origin: &Origin,
) -> Result<(), InvalidHeader> {
    headers.insert(CONSUMER, escaped(consumer, MAX_TEXT))?;
    headers.insert(STREAM, escaped(&origin.stream, MAX_TEXT))?;
    headers.insert(SEQUENCE, origin.sequence.to_string())?;
    headers.insert(SUBJECT, escaped(&origin.subject, MAX_TEXT))?;
    if let Some(prefix) = &origin.prefix {
        headers.insert(SUBJECT_PREFIX, escaped(prefix, MAX_TEXT))?;
    }
    Ok(())
}

/// Reads the consumer and the place of the original message.
pub(super) fn read_origin(headers: &Headers) -> Option<(Text, Origin)> {
    let consumer = unescaped_text(headers.get(CONSUMER)?);
    let stream = unescaped_text(headers.get(STREAM)?);
    let sequence = read_number(headers, SEQUENCE)?;
    let subject = unescaped_text(headers.get(SUBJECT)?);
    let prefix = headers.get(SUBJECT_PREFIX).map(unescaped);
    let prefix = prefix.as_deref().unwrap_or_default();
    Some((consumer, Origin::new(stream, sequence, subject, prefix)))
}

/// The headers of a message except those of letters and those that a server obeys.
pub(super) fn kept(headers: &Headers) -> Result<Headers, InvalidHeader> {
    let mut kept = Headers::new();
    for (name, value) in headers.iter() {
        if !begins_with(name, PREFIX) && !begins_with(name, "Nats-") {
            kept.insert(name, value)?;
        }
    }
    Ok(kept)
}

fn begins_with(name: &str, prefix: &str) -> bool {
    let start = name.as_bytes().get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

pub(super) fn read_number<N: std::str::FromStr>(headers: &Headers, name: &str) -> Option<N> {
    headers.get(name)?.parse().ok()
}

/// The sequences of the further parts; `None` if there are none, or if they are malformed.
pub(super) fn read_rest(headers: &Headers) -> Option<Vec<u64>> {
    let sequences = headers.get(REST)?.split(',');
    sequences
        .map(|sequence| sequence.parse().ok())
        .collect::<Option<_>>()
}

pub(super) fn read_time(headers: &Headers, name: &str) -> Option<Timestamp> {
    read_number(headers, name)
}

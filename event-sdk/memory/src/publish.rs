//! Stores a message: duplicate check, expected sequences, message size, and what happens at the
//! limits `max_messages` and `max_bytes` (discard the old, or refuse with `StreamFull`).

use std::mem;
use std::num::NonZeroU64;
use std::thread;

use bytes::Bytes;
use jiff::Timestamp;

use super::check;
use super::dedup::Id;
use super::deferred_actions::DeferredActions;
use super::phase::Phase;
use super::schedules::Waiting;
use super::state::State;
use super::stream::MemoryStream;
use super::subjects::Entry;
use event_sdk_core::headers::Headers;
use event_sdk_core::stream::{Discard, Limits};
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::{
    Body, Error, ErrorKind, Expectations, MessageId, Operation, PublishRequest, RollUp, Stored,
    ValueBody,
};

/// A message that is to be stored.
struct Parcel<'a> {
    subject: &'a Subject,
    headers: Headers,
    body: Body,
    message_id: Option<MessageId>,
    expect: Expectations,
    roll_up: Option<RollUp>,
    /// What it counts against a limit in bytes.
    size: u64,
    now: Timestamp,
}

/// How many messages that are too old a publish drops: more than it adds.
const MAX_DROPPED: usize = 64;

impl MemoryStream {
    /// Stores a message, unless it is there already or something is against it.
    ///
    /// The outer error is about the message itself or the connection, the inner
    /// one what the stream says.
    pub(super) fn publish(
        &self,
        through: &Phase,
        message: PublishRequest<'_>,
        max_payload: usize,
    ) -> Result<Result<Stored, Error>, Error> {
        let PublishRequest {
            subject,
            mut headers,
            body,
            message_id,
            expect,
            roll_up,
            reading,
            ..
        } = message;
        let body = self
            .encoded(body, &mut headers, Operation::Publish)
            .map_err(|error| error.at_subject(subject).at_stream(self.name().clone()))?;
        if let Some(Err(why)) = message_id.as_ref().map(MessageId::check) {
            return Err(self.refuse(subject, ErrorKind::InvalidHeader, why.to_string()));
        }
        let about = (Operation::Publish, subject);
        let size = self.measure(about, &headers, message_id.as_ref(), &body, max_payload)?;
        let mut parcel = Parcel {
            subject,
            headers,
            body,
            message_id,
            expect,
            roll_up,
            size,
            now: self.now(reading),
        };
        loop {
            let answer = self.locked(through, Operation::Publish, |state, after| {
                Ok(self.store(state, &mut parcel, after).transpose())
            })?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
            thread::yield_now();
        }
    }

    /// Takes what it stores out of the parcel. What is not stored stays there, to
    /// be dropped when the lock is released: a value's destructor may need it.
    /// `None` if there is too much yet of what is too old.
    fn store(
        &self,
        state: &mut State,
        parcel: &mut Parcel<'_>,
        after: &mut DeferredActions,
    ) -> Result<Option<Stored>, Error> {
        let (subject, size, now) = (parcel.subject, parcel.size, parcel.now);
        let ran = state.elapsed.at(now, self.clock());
        let settings = self.settings();
        let limits = &settings.config.limits;
        let mut fresh = state.release_left(MAX_DROPPED, after);
        if let Some(age) = settings.age {
            fresh &= state.drop_older(age, ran, MAX_DROPPED, after);
        }
        // What is left can stay for the next, unless the answer depends on it.
        if !fresh && (limits.discard == Discard::New || !parcel.expect.is_empty()) {
            return Ok(None);
        }
        let id = parcel.message_id.take().filter(|_| state.dedup.is_on());
        let id = id.map(Id::from);
        if let Some(id) = &id
            && let Some(sequence) = state.dedup.find(id, ran)
        {
            return Ok(Some(self.stored(sequence, true)));
        }
        if !parcel.expect.is_empty() {
            self.check_expectations(state, subject, &parcel.expect)?;
        }
        if parcel.roll_up.is_some() && !settings.config.allows_rollup() {
            let reason = if settings.config.denies_purge() {
                "the stream denies purging, and with it roll-ups, which cannot be taken back; publish without the roll-up"
            } else {
                "the stream does not allow roll-ups; declare it with `allow_rollup(true)`"
            };
            return Err(self.refuse(subject, ErrorKind::DeletionDenied, reason.to_owned()));
        }
        if state.is_for_nobody(subject, now) {
            let sequence = state.log.skip(now);
            if let Some(roll_up) = parcel.roll_up {
                state.roll_up(roll_up, sequence, subject, after);
            }
            if let Some(id) = id {
                state.dedup.remember(id, sequence, ran);
            }
            return Ok(Some(self.stored(sequence, false)));
        }
        let replaced = self.make_room(state, limits, subject, size, after)?;
        let headers = mem::take(&mut parcel.headers);
        let body = mem::replace(&mut parcel.body, Body::Encoded(Bytes::new()));
        let (sequence, place) = state.log.push(subject, headers, body, size, now, ran);
        if let Some(replaced) = replaced {
            state.drop_message(replaced, after);
        }
        if let Some(roll_up) = parcel.roll_up {
            state.roll_up(roll_up, sequence, subject, after);
        }
        if let Some(id) = id {
            state.dedup.remember(id, sequence, ran);
        }
        state.announce(sequence, place, state.log.newest(), after);
        Ok(Some(self.stored(sequence, false)))
    }

    /// Stores a message whose time has come. It was checked when it was scheduled, and a stream
    /// that allows schedules refuses nothing.
    pub(super) fn store_scheduled(
        &self,
        state: &mut State,
        message: Waiting,
        now: Timestamp,
        after: &mut DeferredActions,
    ) {
        let Waiting {
            subject,
            headers,
            body,
            size,
            ..
        } = message;
        let settings = self.settings();
        if !settings.stores(&subject) {
            // The stream was changed since.
            (state.holds_others, state.held_others) = (true, true);
        }
        let ran = state.elapsed.at(now, self.clock());
        let limits = &settings.config.limits;
        let replaced = self.make_room(state, limits, &subject, size, after);
        let (sequence, place) = state.log.push(&subject, headers, body, size, now, ran);
        if let Ok(Some(replaced)) = replaced {
            state.drop_message(replaced, after);
        }
        state.announce(sequence, place, state.log.newest(), after);
    }

    /// What the message counts against a limit in bytes, if it is not too large.
    pub(super) fn measure(
        &self,
        (operation, subject): (Operation, &Subject),
        headers: &Headers,
        message_id: Option<&MessageId>,
        body: &Body,
        max_payload: usize,
    ) -> Result<u64, Error> {
        let payload = headers.byte_len()
            + message_id.map_or(0, MessageId::byte_len)
            + match body {
                Body::Encoded(bytes) => bytes.len(),
                Body::Value(_) => 0,
            };
        let too_large = |size: usize, limit: usize, who: &str| {
            Err(Error::new(
                ErrorKind::TooLarge { size, limit },
                operation,
                format!(
                    "the message has {size} bytes, more than the {limit} that {who}; publish less, or a reference to where the data are kept"
                ),
            )
            .at_subject(subject)
            .at_stream(self.name().clone()))
        };
        if payload > max_payload {
            return too_large(payload, max_payload, "the transport takes");
        }
        let settings = self.settings();
        let limits = &settings.config.limits;
        if let Some(max) = limits.message_size
            && payload as u64 > max.get()
        {
            return too_large(payload, within_usize(max.get()), "the stream takes");
        }
        let size = subject.as_str().len() + payload;
        if let Some(max) = limits.bytes
            && size as u64 > max.get()
        {
            let whole = "the whole stream holds, subject included";
            return too_large(size, within_usize(max.get()), whole);
        }
        Ok(size as u64)
    }

    fn stored(&self, sequence: u64, duplicate: bool) -> Stored {
        Stored::new(Some(self.name().clone()), Some(sequence)).duplicate(duplicate)
    }

    /// Whether what is expected is true.
    ///
    /// That this comes after the message id makes the retry of a publish with an
    /// expectation a duplicate, though the expectation is not true any more. The
    /// whole order stands in the docs of the [module](super).
    fn check_expectations(
        &self,
        state: &mut State,
        subject: &Subject,
        expect: &Expectations,
    ) -> Result<(), Error> {
        if let Some(expected) = expect.last_subject_sequence {
            let last = state.log.subjects().find(subject).map(Entry::last);
            self.check_sequence(subject, "the subject", expected, last.unwrap_or(0))?;
        }
        if let Some((pattern, expected)) = &expect.last_pattern_sequence {
            let stream = &self.settings().config;
            check::within(pattern, stream, Operation::Publish)?;
            let covered = |stored| pattern.covers(stored);
            let last = if !state.holds_others && stream.subjects.iter().all(covered) {
                state.log.messages().last_sequence()
            } else {
                state.log.subjects_mut().last_under(pattern)
            };
            self.check_sequence(subject, pattern.as_str(), *expected, last.unwrap_or(0))?;
        }
        if let Some(expected) = expect.last_sequence {
            self.check_sequence(subject, "the stream", expected, state.log.last_sequence())?;
        }
        Ok(())
    }

    fn check_sequence(
        &self,
        subject: &Subject,
        of: &str,
        expected: u64,
        last: u64,
    ) -> Result<(), Error> {
        if expected == last {
            return Ok(());
        }
        Err(self.refuse(
            subject,
            ErrorKind::WrongLastSequence { last: Some(last) },
            format!(
                "the last sequence of {of} is {last}, expected {expected}; read what was published in the meantime and decide again"
            ),
        ))
    }

    /// Drops what has to go for a message of this size, or finds that it may not.
    ///
    /// The oldest message of the subject, if that has to go, is returned instead:
    /// dropped after the new one has come, it is not the last of its subject, and
    /// what is known of that stays.
    fn make_room(
        &self,
        state: &mut State,
        limits: &Limits,
        subject: &Subject,
        size: u64,
        after: &mut DeferredActions,
    ) -> Result<Option<u64>, Error> {
        let replaced = limits
            .messages_per_subject
            .and_then(|max| oldest_of(state, subject, max));
        if limits.discard == Discard::New {
            self.check_room(state, limits, subject, size, replaced)?;
        }
        if let Some(max) = limits.messages {
            while state.log.len() - u64::from(freed(state, replaced).is_some()) >= max.get() {
                state.drop_first(after);
            }
        }
        if let Some(max) = limits.bytes {
            while state.log.len() > 0
                && state.log.bytes() - freed(state, replaced).unwrap_or(0) + size > max.get()
            {
                state.drop_first(after);
            }
        }
        Ok(replaced)
    }

    /// Whether there is room when the message `replaced` is gone.
    fn check_room(
        &self,
        state: &State,
        limits: &Limits,
        subject: &Subject,
        size: u64,
        replaced: Option<u64>,
    ) -> Result<(), Error> {
        let freed = freed(state, replaced);
        let messages = state.log.len() + 1 - u64::from(freed.is_some());
        let bytes = state.log.bytes() + size - freed.unwrap_or(0);
        let (limit, what) = match (limits.messages, limits.bytes) {
            (Some(max), _) if messages > max.get() => (max, "messages"),
            (_, Some(max)) if bytes > max.get() => (max, "bytes"),
            _ => return Ok(()),
        };
        Err(self.refuse(
            subject,
            ErrorKind::StreamFull,
            format!(
                "the stream holds {limit} {what} at the most and refuses what is new; raise the limit, let it discard the old, or try again when messages have aged out"
            ),
        ))
    }

    /// The body as the stream takes it: values only where no bytes are counted.
    pub(super) fn encoded(
        &self,
        body: Body,
        headers: &mut Headers,
        operation: Operation,
    ) -> Result<Body, Error> {
        match &body {
            Body::Value(value) if !self.settings().takes_values => {
                Ok(Body::Encoded(self.encode(value, headers, operation)?))
            }
            _ => Ok(body),
        }
    }

    /// The value in bytes.
    pub(super) fn encode(
        &self,
        value: &ValueBody,
        headers: &mut Headers,
        operation: Operation,
    ) -> Result<Bytes, Error> {
        let mut out = Vec::with_capacity(512);
        self.codec()
            .encode(&value.to_header(), &*value.event, headers, &mut out)
            .map_err(|why| {
                Error::new(
                    ErrorKind::Encode,
                    operation,
                    format!("{} cannot be written", value.event.spec().name()),
                )
                .with_source(why)
            })?;
        // The stream counts these bytes, and must not keep more.
        out.shrink_to_fit();
        Ok(out.into())
    }

    fn refuse(&self, subject: &Subject, kind: ErrorKind, reason: String) -> Error {
        Error::new(kind, Operation::Publish, reason)
            .at_subject(subject)
            .at_stream(self.name().clone())
    }
}

/// The message that goes when another of its subject comes, whatever the stream
/// does when it is full.
fn oldest_of(state: &State, subject: &Subject, max: NonZeroU64) -> Option<u64> {
    let entry = state.log.subjects().find(subject)?;
    (entry.count() >= max.get()).then(|| entry.first())?
}

/// The size of the message `replaced`, if there is one and it is still there.
#[inline]
fn freed(state: &State, replaced: Option<u64>) -> Option<u64> {
    let message = state.log.messages().get(replaced?)?;
    Some(message.size)
}

fn within_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;

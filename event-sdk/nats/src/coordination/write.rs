//! `Write`: puts and deletes an entry by publishing with an expected sequence; repeats it safely
//! after a lost answer.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::layout::{DELETED, EXPECTED, Layout, MESSAGE_ID, OPERATION, TTL, is_marker, missing};
use crate::context::{NatsContext, NotAnswered};
use crate::error::{ApiError, ErrorContext, code};
use crate::pending_replies::Reply;
use crate::stream_answer::{StreamAnswer, foreign};
use crate::streams::{self, Which};
use event_sdk_core::transport::{Error, ErrorKind, Operation, Revision};

/// How much of its time a write waits for the answer to one copy, before it sends the next one: two
/// fifths, so that three copies are sent. A leader that was killed does not answer, and the next
/// one is elected within some seconds.
const ANSWER: f64 = 0.4;

/// The pause before a copy is sent again that a server has refused for the moment.
const PAUSE: Duration = Duration::from_millis(100);

/// After how many seconds the marker of a deletion expires, so that deleted keys do not fill the
/// bucket (server 2.11). It is longer than any write is repeated.
const MARKER_TTL: u64 = 3600;

/// The change of an entry: a value, or a deletion.
pub(super) enum Change {
    Put {
        value: Bytes,
        expiry: Option<Duration>,
    },
    Delete,
}

/// A write of one key.
pub(super) struct Write<'a> {
    context: &'a NatsContext,
    about: ErrorContext,
    layout: &'a Layout,
    subject: String,
    change: Change,
    wanted: Revision,
    /// The sequence that the next copy expects of its subject.
    expected: Option<u64>,
    /// Identifies the copies, for the server and when the entry is read back.
    id: String,
    /// Whether the next copy has a TTL.
    has_ttl: bool,
    /// Whether an earlier copy may have been stored.
    maybe_stored: bool,
}

/// What became of one copy.
enum Sent {
    /// It is stored, or was before.
    Stored(u64),
    /// The subject has another last sequence.
    WrongSequence(ApiError),
    /// The stream refuses it for the moment.
    NotNow(Error),
    /// The stream refuses it.
    Refused(Error),
    /// The stream takes no TTLs.
    NoTtl(ApiError),
    /// No stream has received it.
    NoResponders,
    /// It may have been stored, or will be.
    Unanswered(Error),
}

impl<'a> Write<'a> {
    pub(super) fn new(
        context: &'a NatsContext,
        layout: &'a Layout,
        key: &str,
        change: Change,
        wanted: Revision,
    ) -> Self {
        Self {
            context,
            about: ErrorContext::new(Operation::Coordinate),
            layout,
            subject: layout.subject(key),
            expected: match wanted {
                Revision::Any => None,
                Revision::Absent => Some(0),
                Revision::Exactly(revision) => Some(revision),
            },
            has_ttl: match &change {
                Change::Put { expiry, .. } => expiry.is_some(),
                Change::Delete => context.server().has_message_ttl(),
            },
            change,
            wanted,
            id: Uuid::new_v4().simple().to_string(),
            maybe_stored: false,
        }
    }

    /// Writes it; its revision. Copies are sent within the time of one request.
    pub(super) async fn run(mut self) -> Result<u64, Error> {
        let begun = Instant::now();
        let time = self.context.options().request_timeout;
        loop {
            let copy = self.send(time.saturating_sub(begun.elapsed())).await;
            let error = match copy {
                Sent::Stored(revision) => return Ok(revision),
                Sent::Refused(error) => return Err(self.failed(error)),
                Sent::WrongSequence(error) => match self.resolve(&error).await? {
                    Resolved::Stored(revision) => return Ok(revision),
                    Resolved::Again(expected) => {
                        self.expected = Some(expected);
                        // The key has changed since, and may go on changing.
                        self.wrong_revision(error.last_sequence())
                    }
                },
                Sent::NoTtl(error) => match self.change {
                    // The marker stays until the bucket's maximum age.
                    Change::Delete => {
                        self.has_ttl = false;
                        continue;
                    }
                    Change::Put { .. } => {
                        let error = error.into_error(&self.about);
                        return Err(self.failed(error));
                    }
                },
                Sent::NotNow(error) => {
                    tokio::time::sleep(PAUSE).await;
                    error
                }
                Sent::NoResponders => {
                    self.check_exists().await?;
                    tokio::time::sleep(PAUSE).await;
                    self.about.error(
                        ErrorKind::Timeout,
                        "the bucket has no leader at the moment; try again",
                    )
                }
                Sent::Unanswered(error) => error,
            };
            if begun.elapsed() >= time {
                return Err(self.failed(error));
            }
        }
    }

    /// An error of the write, with the outcome of all its copies.
    fn failed(&self, error: Error) -> Error {
        if self.maybe_stored {
            return error.with_unknown_outcome();
        }
        error
    }

    /// Sends one copy, with so much time left.
    async fn send(&mut self, left: Duration) -> Sent {
        let value = match &self.change {
            Change::Put { value, .. } => value.clone(),
            Change::Delete => Bytes::new(),
        };
        // At the end, a last copy hears at least that there is no connection.
        let answer = self.context.options().request_timeout.mul_f64(ANSWER);
        let limit = left.min(answer).max(PAUSE);
        let headers = Some(self.headers());
        let answered = self
            .context
            .ask_within(&self.about, &self.subject, headers, value, limit);
        match answered.await {
            Ok(reply) if reply.is_no_responders() => Sent::NoResponders,
            Ok(reply) => self.read(&reply),
            Err(NotAnswered { error, sent }) => {
                self.maybe_stored |= sent;
                if error.is_transient() {
                    Sent::Unanswered(error)
                } else {
                    Sent::Refused(error)
                }
            }
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(MESSAGE_ID, self.id.as_str());
        if let Some(expected) = self.expected {
            headers.insert(EXPECTED, expected.to_string());
        }
        let ttl = match &self.change {
            Change::Put { expiry, .. } => expiry.map(whole_seconds),
            Change::Delete => {
                headers.insert(OPERATION, DELETED);
                Some(MARKER_TTL)
            }
        };
        if let Some(seconds) = ttl.filter(|_| self.has_ttl) {
            headers.insert(TTL, format!("{seconds}s"));
        }
        headers
    }

    /// Reads the answer of the stream to a copy.
    fn read(&mut self, reply: &Reply) -> Sent {
        match StreamAnswer::read(reply, &self.layout.stream) {
            // A duplicate has the sequence of the first copy.
            StreamAnswer::Stored(sequence) => Sent::Stored(sequence),
            StreamAnswer::Refused(error) => self.refusal(error),
            StreamAnswer::Foreign(source) => {
                self.maybe_stored = true;
                Sent::Refused(foreign(&self.about, &self.subject, "bucket", source))
            }
        }
    }

    fn refusal(&self, error: ApiError) -> Sent {
        if error.is(&[code::WRONG_LAST_SEQUENCE_UNKNOWN]) {
            // Another write of the key is on its way to the replicas: how it ends decides.
            return Sent::NotNow(self.wrong_revision(None));
        }
        if error.is(&code::WRONG_LAST_SEQUENCE) {
            return Sent::WrongSequence(error);
        }
        if error.is(&[code::MESSAGE_TTL_DISABLED]) {
            return Sent::NoTtl(error);
        }
        if error.is(&[code::MESSAGE_TOO_LARGE]) {
            let size = match &self.change {
                Change::Put { value, .. } => value.len(),
                Change::Delete => 0,
            };
            let limit = size.saturating_sub(1);
            return Sent::Refused(self.about.error(
                ErrorKind::TooLarge { size, limit },
                format!("the value has {size} bytes, more than the bucket takes; store less, or raise its `max_msg_size`"),
            ));
        }
        if error.is_transient() {
            return Sent::NotNow(error.into_error(&self.about));
        }
        Sent::Refused(error.into_error(&self.about))
    }

    /// Decides what the wrong last sequence means: that an earlier copy was stored, that the key is
    /// absent and has a marker, or that the expectation does not hold.
    async fn resolve(&self, error: &ApiError) -> Result<Resolved, Error> {
        let last = error.last_sequence();
        let absent = self.wanted == Revision::Absent;
        if !absent && !self.maybe_stored {
            return Err(self.wrong_revision(last));
        }
        let which = Which::LastOf(&self.subject);
        let read = streams::message(self.context, &self.about, &self.layout.stream, &which).await;
        let found = read.map_err(|error| self.failed(error))?;
        match found {
            Some(found) if found.message_id.as_deref() == Some(&*self.id) => {
                Ok(Resolved::Stored(found.sequence))
            }
            None if absent => Ok(Resolved::Again(0)),
            Some(found) if absent && is_marker(&found) => Ok(Resolved::Again(found.sequence)),
            // If an earlier copy was stored, another write has replaced it since.
            found => {
                let last = found.map(|found| found.sequence);
                Err(self.failed(self.wrong_revision(last)))
            }
        }
    }

    /// The error of an expectation that does not hold.
    fn wrong_revision(&self, last: Option<u64>) -> Error {
        let last = last.filter(|last| *last > 0);
        let found = match last {
            Some(last) => format!("the last write of the key has revision {last}"),
            None => "the key has another last write, or none".to_owned(),
        };
        let wanted = match self.wanted {
            Revision::Exactly(revision) => format!("revision {revision}"),
            Revision::Absent | Revision::Any => "no entry".to_owned(),
        };
        self.about.error(
            ErrorKind::WrongRevision { last },
            format!("{found}, and the write expected {wanted}; read it, and decide anew"),
        )
    }

    /// Returns an error if the bucket does not exist: then nothing answers for it either.
    async fn check_exists(&self) -> Result<(), Error> {
        let which = Which::LastOf(&self.subject);
        let read = streams::message(self.context, &self.about, &self.layout.stream, &which).await;
        match read {
            Err(error) if *error.kind() == ErrorKind::StreamNotFound => Err(self.failed(missing())),
            // A cluster without a leader does not answer.
            Ok(_) => Ok(()),
            Err(error) if error.is_transient() => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// What a wrong last sequence means.
enum Resolved {
    /// An earlier copy was stored.
    Stored(u64),
    /// The key is absent, and its subject has this last sequence.
    Again(u64),
}

/// The longest TTL that a server can count, in nanoseconds of 63 bits.
const LONGEST_TTL: u64 = i64::MAX as u64 / 1_000_000_000;

/// The whole seconds of a TTL, which has no fractions: rather longer than shorter.
fn whole_seconds(expiry: Duration) -> u64 {
    let seconds = expiry.as_secs();
    let seconds = seconds.saturating_add(u64::from(expiry.subsec_nanos() > 0));
    seconds.min(LONGEST_TTL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::MAX), LONGEST_TTL);
    }
}

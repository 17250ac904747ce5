//! `MessageAdmin`: optional ability to get, delete and purge stored messages by stream and sequence.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Body, Capability, Completion, Error, ErrorKind, Operation, StoredMessage};
use crate::headers::Headers;
use crate::subject::{Pattern, Subject};
use crate::text::Text;

/// Gets, deletes and purges stored messages, without a consumer.
///
/// - If a message is deleted or purged before a consumer received it, the consumer reports a
///   [gap](super::NoticeKind::Gap), as for a message that a limit dropped. Other messages keep
///   their sequences, and a sequence is never used again.
/// - Message ids outlive their messages: within the duplicate window of the stream, a message with
///   the id of a deleted one is a duplicate, and is not stored.
pub trait MessageAdmin: Send + Sync {
    /// Returns a message, or `None` if the stream does not have it (any more).
    ///
    /// A message whose subject or headers cannot be read is returned as bytes
    /// ([`FoundMessage::headers`]).
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](ErrorKind::StreamNotFound),
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Closed`](ErrorKind::Closed), errors of
    /// the connection.
    fn get(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>>;

    /// Deletes the message at `sequence`, and returns whether there was one. If a deletion that had
    /// succeeded is repeated, it returns `false` too.
    ///
    /// Not cancel-safe: after dropping the future, the message may be deleted.
    ///
    /// # Errors
    ///
    /// [`DeletionDenied`](ErrorKind::DeletionDenied) if the stream allows no deletion, and the
    /// errors of [`get`](Self::get). After a [`Timeout`](ErrorKind::Timeout), [`Error::outcome`]
    /// says whether the message may be deleted.
    fn delete(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>>;

    /// Deletes all messages that `request` selects, the oldest first. Returns their number.
    ///
    /// A purge that overlaps publishing deletes messages that were stored before it began, and
    /// possibly some that were stored meanwhile.
    ///
    /// Not cancel-safe: after dropping the future, the messages may be deleted.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if [`PurgeRequest::check`] refuses the request,
    /// and the errors of [`delete`](Self::delete).
    fn purge(&self, request: PurgeRequest) -> Completion<Result<u64, Error>>;
}

/// Which message to [get](MessageAdmin::get).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichMessage {
    /// The message at this sequence.
    Sequence(u64),
    /// The newest message whose subject the pattern matches.
    LastUnder(Pattern),
}

/// How to [delete](MessageAdmin::delete) a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deletion {
    /// The message is not in the stream any more. A server may leave its bytes on disk until the
    /// space is used again.
    #[default]
    Remove,
    /// In addition, a server overwrites the bytes on disk. This takes longer. Backups and other
    /// streams that copied the message keep it.
    Erase,
}

/// Which messages of a stream to [purge](MessageAdmin::purge).
///
/// A purge of [all](Self::all) messages also deletes the [schedules](super::Scheduler) that wait in
/// the stream. Set [`filter`](Self::filter) to the subjects of the stream to keep them. With
/// [`before`](Self::before) or [`keep`](Self::keep) and without a filter, a NATS server counts them
/// among the messages, and the memory transport keeps them.
///
/// Fields may be added: start with [`all`](Self::all), and set the fields that should differ.
///
/// ```
/// use event_sdk_core::subject::Pattern;
/// use event_sdk_core::transport::PurgeRequest;
///
/// let mut request = PurgeRequest::all("DLQ");
/// request.filter = Some(Pattern::parse("dlq.billing.>")?);
/// request.before = Some(1_000);
/// assert!(request.check().is_ok());
/// # Ok::<(), event_sdk_core::subject::InvalidSubject>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgeRequest {
    /// The stream.
    pub stream: Text,
    /// Only messages whose subjects this pattern matches.
    pub filter: Option<Pattern>,
    /// Only messages with a lower sequence.
    pub before: Option<u64>,
    /// Keeps this many of the newest messages that the filter matches, and purges the others. Not
    /// together with [`before`](Self::before).
    pub keep: Option<u64>,
}

impl PurgeRequest {
    /// All messages of a stream.
    #[must_use]
    pub fn all(stream: impl Into<Text>) -> Self {
        Self {
            stream: stream.into(),
            filter: None,
            before: None,
            keep: None,
        }
    }

    /// Checks that the request does not contradict itself.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if both [`before`](Self::before) and
    /// [`keep`](Self::keep) are set.
    pub fn check(&self) -> Result<(), Error> {
        if self.before.is_some() && self.keep.is_some() {
            let reason = "a purge ends before a sequence or keeps the newest messages, not both; make two requests";
            let error = Error::new(ErrorKind::InvalidOption, Operation::Manage, reason);
            return Err(error.at_stream(self.stream.clone()));
        }
        Ok(())
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`]. Every transport with [`MessageAdmin`] purges by filter, before a
    /// sequence and all but the newest.
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        std::iter::once(Capability::MessageAdmin)
    }
}

/// A stored message, readable or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FoundMessage {
    /// The subject as the stream has it. Another client may have published to a subject that no
    /// event can have. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub subject: Text,
    /// The headers, or their bytes if they cannot be read.
    pub headers: Result<Headers, UnreadableHeaders>,
    /// The message id, if it has one and it can be read.
    pub message_id: Option<Text>,
    /// The body: bytes as they were published, or the value on a transport that passes values.
    pub body: Body,
    /// The stream.
    pub stream: Text,
    /// The sequence in the stream.
    pub sequence: u64,
    /// The stored time.
    pub stored_at: Timestamp,
}

impl FoundMessage {
    /// A message without a message id.
    #[must_use]
    pub fn new(
        subject: impl Into<Text>,
        headers: Result<Headers, UnreadableHeaders>,
        body: Body,
        stream: impl Into<Text>,
        sequence: u64,
        stored_at: Timestamp,
    ) -> Self {
        Self {
            subject: subject.into(),
            headers,
            message_id: None,
            body,
            stream: stream.into(),
            sequence,
            stored_at,
        }
    }

    /// The message as [history](super::History) returns it.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) or
    /// [`InvalidHeader`](ErrorKind::InvalidHeader) if the subject or the headers cannot be read.
    pub fn into_stored(self) -> Result<StoredMessage, Error> {
        let stream = self.stream.clone();
        let refuse = |kind, reason: String| {
            Error::new(kind, Operation::Read, reason).at_stream(stream.clone())
        };
        let sequence = self.sequence;
        let unreadable = |why: &dyn fmt::Display| {
            let reason = format!("the subject of message {sequence} cannot be read: {why}");
            refuse(ErrorKind::InvalidSubject, reason)
        };
        if self.subject.contains(char::REPLACEMENT_CHARACTER) {
            return Err(unreadable(&"it is not UTF-8"));
        }
        let subject = Subject::parse(self.subject).map_err(|why| unreadable(&why))?;
        let headers = self.headers.map_err(|why| {
            let reason = format!("the headers of message {sequence} cannot be read: {why}");
            refuse(ErrorKind::InvalidHeader, reason)
        })?;
        Ok(StoredMessage {
            subject,
            headers,
            body: self.body,
            stream: self.stream,
            sequence,
            stored_at: self.stored_at,
        })
    }
}

/// Headers that cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadableHeaders {
    bytes: Bytes,
    reason: String,
}

impl UnreadableHeaders {
    /// Headers as they are stored, and why they cannot be read. The reason must contain none of
    /// their text.
    #[must_use]
    pub fn new(bytes: Bytes, reason: impl Into<String>) -> Self {
        Self {
            bytes,
            reason: reason.into(),
        }
    }

    /// The headers as they are stored. They may be anything.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for UnreadableHeaders {
    /// Does not show the bytes, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "UnreadableHeaders({} bytes: {})",
            self.bytes.len(),
            self.reason
        )
    }
}

impl fmt::Display for UnreadableHeaders {
    /// The reason, as the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for UnreadableHeaders {}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(subject: &'static str, headers: Result<Headers, UnreadableHeaders>) -> FoundMessage {
        let body = Body::Encoded(Bytes::from_static(b"{}"));
        FoundMessage::new(subject, headers, body, "ORDERS", 7, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_readable_message_is_one_of_history() {
        let stored = found("events.a.b.c", Ok(Headers::new()))
            .into_stored()
            .unwrap();
        assert_eq!(
            (stored.subject.as_str(), stored.sequence),
            ("events.a.b.c", 7)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_text() {
        let secret = Bytes::from_static(b"NATS/1.0\r\nsecret: \xff");
        let unreadable = UnreadableHeaders::new(secret.clone(), "they are not UTF-8");
        assert_eq!(*unreadable.bytes(), secret);
        assert!(!format!("{unreadable:?}").contains("secret"));
        for (message, kind) in [
            (
                found("events..b", Ok(Headers::new())),
                ErrorKind::InvalidSubject,
            ),
            (
                found("events.\u{fffd}", Ok(Headers::new())),
                ErrorKind::InvalidSubject,
            ),
            (found("events.a", Err(unreadable)), ErrorKind::InvalidHeader),
        ] {
            let error = message.into_stored().unwrap_err();
            assert_eq!(*error.kind(), kind, "{error}");
            assert!(error.to_string().contains("message 7"), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_purge_has_one_end() {
        let mut request = PurgeRequest::all("ORDERS");
        assert!(request.check().is_ok());
        request.before = Some(1);
        assert!(request.check().is_ok());
        request.keep = Some(1);
        let error = request.check().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    }
}

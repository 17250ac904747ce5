//! `ScheduleRequest` and `CancelRequest`: what is to be stored later or cancelled, and its checks.

use jiff::Timestamp;

use super::super::capability::asked;
use super::super::{Body, Capability, Error, ErrorKind, Operation};
use crate::headers::Headers;
use crate::subject::{Pattern, Subject, check_key};
use crate::text::Text;

/// A message to be stored at a later time.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScheduleRequest {
    /// The stream, which stores the subject.
    pub stream: Text,
    /// The key, by which the schedule is replaced or cancelled.
    pub key: Text,
    /// The subject under which the message is stored.
    pub subject: Subject,
    /// When the message is stored; a time in the past means now.
    pub at: Timestamp,
    /// The headers.
    pub headers: Headers,
    /// The event, encoded or as a value.
    pub body: Body,
}

impl ScheduleRequest {
    /// The latest time: 2262-04-11T23:47:16Z, since a NATS server counts nanoseconds from 1970 on in
    /// 63 bits.
    pub const LATEST: Timestamp = Timestamp::constant(i64::MAX / 1_000_000_000, 0);

    /// A message without headers.
    #[must_use]
    pub fn new(
        stream: impl Into<Text>,
        key: impl Into<Text>,
        subject: Subject,
        at: Timestamp,
        body: Body,
    ) -> Self {
        Self {
            stream: stream.into(),
            key: key.into(),
            subject,
            at,
            headers: Headers::new(),
            body,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`].
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        asked([
            (Capability::Scheduler, true),
            (
                Capability::ValueHandover,
                matches!(self.body, Body::Value(_)),
            ),
        ])
    }

    /// Checks the key and the time.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) for a malformed key,
    /// [`InvalidOption`](ErrorKind::InvalidOption) for a time after [`LATEST`](Self::LATEST).
    pub fn check(&self) -> Result<(), Error> {
        checked_key(&self.key)?;
        if self.at > Self::LATEST {
            let reason = format!(
                "{} is later than {}, the latest time of a schedule; choose an earlier one",
                self.at,
                Self::LATEST
            );
            return Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Schedule,
                reason,
            ));
        }
        Ok(())
    }
}

/// A schedule to be cancelled.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CancelRequest {
    /// The stream.
    pub stream: Text,
    /// The key.
    pub key: Text,
    /// The subjects that the message may have. The transport looks there to see whether the message
    /// was stored.
    pub subjects: Pattern,
}

impl CancelRequest {
    /// The schedule of `key`, whose message has one of `subjects`.
    #[must_use]
    pub fn new(stream: impl Into<Text>, key: impl Into<Text>, subjects: Pattern) -> Self {
        Self {
            stream: stream.into(),
            key: key.into(),
            subjects,
        }
    }

    /// Checks the key.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) for a malformed key.
    pub fn check(&self) -> Result<(), Error> {
        checked_key(&self.key)
    }

    /// Checks the prefix of a [list](super::Scheduler::list), which may be empty.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) for a malformed prefix.
    pub fn check_prefix(prefix: &str) -> Result<(), Error> {
        match prefix {
            "" => Ok(()),
            _ => checked_key(prefix),
        }
    }
}

fn checked_key(key: &str) -> Result<(), Error> {
    check_key(key).map_err(|why| {
        Error::new(
            ErrorKind::InvalidSubject,
            Operation::Schedule,
            why.to_string(),
        )
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::SignedDuration;

    use super::*;

    fn request(key: &'static str, at: Timestamp) -> ScheduleRequest {
        let subject = Subject::parse("events.a.b.c").unwrap();
        let body = Body::Encoded(Bytes::from_static(b"{}"));
        ScheduleRequest::new("ORDERS", key, subject, at, body)
    }

    #[test]
    fn the_latest_time_is_what_a_server_can_count() {
        let latest = ScheduleRequest::LATEST;
        assert_eq!(latest.to_string(), "2262-04-11T23:47:16Z");
        assert!(i64::try_from(latest.as_nanosecond()).is_ok());
        assert!(request("a", latest).check().is_ok());
        assert!(request("a", Timestamp::MIN).check().is_ok());
        let later = latest + SignedDuration::from_nanos(1);
        let error = request("a", later).check().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains("2262-04-11"), "{error}");
    }

    #[test]
    fn a_key_has_the_form_of_a_subject() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(request("events.a.b.c.7", now).check().is_ok());
        for key in ["", "a..b", "a b", "a.*", "a.>", "$a"] {
            let subjects = Pattern::everything();
            for error in [
                request(key, now).check().unwrap_err(),
                CancelRequest::new("ORDERS", key, subjects)
                    .check()
                    .unwrap_err(),
            ] {
                assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
            }
        }
        assert!(CancelRequest::check_prefix("").is_ok());
        assert!(CancelRequest::check_prefix("events.a").is_ok());
        assert!(CancelRequest::check_prefix("a.>").is_err());
    }

    #[test]
    fn a_request_needs_the_ability() {
        let needs: Vec<_> = request("a", Timestamp::UNIX_EPOCH).needs().collect();
        assert_eq!(needs, [Capability::Scheduler]);
    }
}

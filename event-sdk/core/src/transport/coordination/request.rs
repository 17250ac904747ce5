//! `PutRequest` and `Revision`: a write of an entry, the revision that it expects, and its checks.

use std::time::Duration;

use bytes::Bytes;

use super::super::capability::asked;
use super::super::{Capability, Error, ErrorKind, Operation};
use super::CoordinationEntry;
use crate::text::Text;

/// The revision that a write expects of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revision {
    /// The key is absent: never written, deleted or expired.
    Absent,
    /// The entry has this revision.
    Exactly(u64),
    /// Nothing is expected.
    Any,
}

/// A request to write an entry.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutRequest {
    /// The bucket.
    pub bucket: Text,
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Bytes,
    /// The expected revision.
    pub expected: Revision,
    /// The time after which the entry expires, unless the maximum age of the bucket ends earlier. A
    /// transport may round up to whole seconds. `None`: no expiry of its own.
    pub expiry: Option<Duration>,
}

impl PutRequest {
    /// How many bytes smaller than the [`max_payload`](super::super::Capabilities::max_payload) of
    /// the transport key and value together must be: the space for headers.
    pub const OVERHEAD: usize = 1024;

    /// A write that expects nothing and has no expiry.
    #[must_use]
    pub fn new(bucket: impl Into<Text>, key: impl Into<Text>, value: impl Into<Bytes>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.into(),
            value: value.into(),
            expected: Revision::Any,
            expiry: None,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`].
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        asked([
            (Capability::Coordination, true),
            (Capability::CoordinationExpiry, self.expiry.is_some()),
        ])
    }

    /// Checks the key, the expected revision, the expiry, and the size for a transport with this
    /// maximum size of a message.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject), [`InvalidOption`](ErrorKind::InvalidOption),
    /// [`TooLarge`](ErrorKind::TooLarge).
    pub fn check(&self, max_payload: usize) -> Result<(), Error> {
        let error = |kind, reason: String| {
            Error::new(kind, Operation::Coordinate, reason).at_subject(&self.key)
        };
        CoordinationEntry::check_key(&self.key)?;
        self.expected
            .check()
            .map_err(|why| error(ErrorKind::InvalidOption, why.to_owned()))?;
        if self.expiry.is_some_and(|expiry| expiry.is_zero()) {
            return Err(error(
                ErrorKind::InvalidOption,
                "an entry with an expiry of zero would never exist; make it longer, or delete the key"
                    .to_owned(),
            ));
        }
        let size = self.key.len().saturating_add(self.value.len());
        let limit = max_payload.saturating_sub(Self::OVERHEAD);
        if size > limit {
            return Err(error(
                ErrorKind::TooLarge { size, limit },
                format!(
                    "key and value have {size} bytes, and may have {limit}; store less, or raise the server's `max_payload`"
                ),
            ));
        }
        Ok(())
    }
}

impl Revision {
    /// Refuses a revision that no entry has.
    fn check(self) -> Result<(), &'static str> {
        match self {
            Self::Exactly(0) => {
                Err("no entry has revision 0; expect `Revision::Absent` of a key without an entry")
            }
            Self::Exactly(_) | Self::Absent | Self::Any => Ok(()),
        }
    }

    /// Checks the key and the expected revision of a deletion.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) for a malformed key,
    /// [`InvalidOption`](ErrorKind::InvalidOption) for [`Absent`](Self::Absent) and revision 0.
    pub fn check_deletion(self, key: &str) -> Result<(), Error> {
        CoordinationEntry::check_key(key)?;
        let expected = match self {
            Self::Absent => Err("an absent key cannot be deleted; expect its revision, or any"),
            other => other.check(),
        };
        expected.map_err(|why| {
            let kind = ErrorKind::InvalidOption;
            Error::new(kind, Operation::Coordinate, why).at_subject(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 2048;

    fn put(key: &str, value: usize) -> PutRequest {
        PutRequest::new("B", key, vec![0; value])
    }

    #[test]
    fn key_and_value_share_what_the_headers_leave() {
        let most = LIMIT - PutRequest::OVERHEAD - 3;
        assert!(put("a.b", most).check(LIMIT).is_ok());
        let error = put("a.b", most + 1).check(LIMIT).unwrap_err();
        let (size, limit) = (most + 4, most + 3);
        assert_eq!(*error.kind(), ErrorKind::TooLarge { size, limit });
        assert_eq!(error.subject(), Some("a.b"));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let mut never = put("a", 1);
        never.expiry = Some(Duration::ZERO);
        let mut zero = put("a", 1);
        zero.expected = Revision::Exactly(0);
        for (wrong, kind) in [
            (never, ErrorKind::InvalidOption),
            (zero, ErrorKind::InvalidOption),
            (put("a b", 1), ErrorKind::InvalidSubject),
            (put("", 1), ErrorKind::InvalidSubject),
            (put("a.*", 1), ErrorKind::InvalidSubject),
        ] {
            assert_eq!(*wrong.check(LIMIT).unwrap_err().kind(), kind, "{wrong:?}");
        }
    }

    #[test]
    fn what_cannot_be_deleted_is_refused() {
        assert!(Revision::Any.check_deletion("a").is_ok());
        assert!(Revision::Exactly(1).check_deletion("a").is_ok());
        for (expected, key, kind) in [
            (Revision::Absent, "a", ErrorKind::InvalidOption),
            (Revision::Exactly(0), "a", ErrorKind::InvalidOption),
            (Revision::Any, "a..b", ErrorKind::InvalidSubject),
        ] {
            let error = expected.check_deletion(key).unwrap_err();
            assert_eq!(*error.kind(), kind, "{expected:?} of {key}");
        }
    }

    #[test]
    fn an_expiry_needs_a_capability() {
        let mut request = put("a", 1);
        let needs = |request: &PutRequest| request.needs().collect::<Vec<_>>();
        assert_eq!(needs(&request), [Capability::Coordination]);
        request.expiry = Some(Duration::from_secs(1));
        assert_eq!(
            needs(&request),
            [Capability::Coordination, Capability::CoordinationExpiry]
        );
    }
}

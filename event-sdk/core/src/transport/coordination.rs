//! `Coordination`: optional ability to keep small entries by key, changed by compare-and-set; for
//! leases, attempt records and other state that the instances of a service share.

mod config;
mod request;

pub use config::BucketConfig;
pub use request::{PutRequest, Revision};

use bytes::Bytes;
use jiff::Timestamp;

use super::{Completion, Difference, Error, ErrorKind, Operation, StreamChange};
use crate::subject::check_key;
use crate::text::Text;

/// The ability to keep entries by key in *buckets*, and to change them by compare-and-set.
///
/// Programs mostly use a [`Bucket`](super::Bucket), which has the same operations on one bucket.
///
/// **Buckets**
/// - Only [`apply`](Self::apply) creates or changes a bucket. Without the bucket, every other
///   operation returns [`ErrorKind::BucketNotFound`](ErrorKind::BucketNotFound).
///
/// **Keys** are subjects: tokens that are joined by dots, with at most 640 bytes together
/// ([`check_key`](crate::subject::check_key)). Other keys are refused with
/// [`ErrorKind::InvalidSubject`](ErrorKind::InvalidSubject). Keys are shown in errors and
/// logs, so they must hold no personal data.
///
/// **Values** are any bytes. Key and value together may have [`PutRequest::OVERHEAD`] bytes less
/// than the transport's [`max_payload`](super::Capabilities::max_payload); larger ones are refused
/// with [`ErrorKind::TooLarge`](ErrorKind::TooLarge).
///
/// **Writing**
/// - Each put and each deletion gets a revision that is higher than all earlier ones of the bucket.
///   The revisions of a key therefore increase even if it is deleted, expires and is put again, so
///   the revision of a lease can serve as its epoch.
/// - A write whose expectation ([`Revision`]) does not hold changes nothing, and the error is
///   [`ErrorKind::WrongRevision`](ErrorKind::WrongRevision). Of several writers that expect
///   the same revision of a key, one succeeds.
/// - If the transport repeats a write after a lost connection, the write does not fail because of
///   its own first copy: it never returns `WrongRevision` for this reason.
/// - A failed write whose [outcome](super::Error::outcome) is unknown may have been done, or may
///   still be done. Read the entry again before you decide what to do: a write that expects a
///   revision can only be done as long as the entry has that revision.
///
/// **Absence.** A key is absent before its first put, after its deletion, and after its expiry:
/// [`get`](Self::get) returns `None`, [`list`](Self::list) omits it, and
/// [`Revision::Absent`] matches.
///
/// **Expiry.** An entry disappears after the expiry of its last put or the
/// [`max_age`](BucketConfig::max_age) of the bucket, whichever ends first; never earlier, and at
/// most a few seconds later. Times are measured by the clock of the transport: on NATS, by the
/// clock of the server.
///
/// **Reading.** A read that begins after a write was confirmed returns the result of that write or
/// of a later one. A transport may document an exception for a cluster that elects a leader. Do not
/// rely on the read alone: write with the revision that was read, and see whether this succeeds.
///
/// **Draining.** During a [drain](super::Transport::drain), every operation except `apply` is
/// allowed as long as publishing is allowed.
pub trait Coordination: Send + Sync {
    /// Creates the bucket, or changes it to match `config`. The result lists the changes; entries
    /// stay, except those that are older than a new maximum age.
    ///
    /// Not cancel-safe: after dropping the future, the bucket may have been created or changed.
    /// Applying it again is safe.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) for an invalid configuration or another
    /// storage than an existing bucket has, [`StreamFull`](super::ErrorKind::StreamFull) if a limit
    /// of the account or server is reached,
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>>;

    /// Returns the settings that [`apply`](Self::apply) would change to match `config`, and that
    /// differ but cannot be changed. Empty: the bucket matches.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`BucketNotFound`](ErrorKind::BucketNotFound),
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) for an invalid configuration,
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>>;

    /// Returns the entry of a key; `None` if it is absent.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`BucketNotFound`](ErrorKind::BucketNotFound),
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) for a malformed key,
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>>;

    /// Writes the value of a key, and returns its new revision.
    ///
    /// Not cancel-safe: after dropping the future, the value may have been written.
    ///
    /// # Errors
    ///
    /// [`WrongRevision`](ErrorKind::WrongRevision),
    /// [`TooLarge`](ErrorKind::TooLarge),
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) for an expiry of zero,
    /// [`Unsupported`](super::ErrorKind::Unsupported) for an expiry without the capability
    /// [`CoordinationExpiry`](super::Capability::CoordinationExpiry),
    /// [`StreamFull`](super::ErrorKind::StreamFull) if the bucket is full, and the errors of
    /// [`get`](Self::get).
    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>>;

    /// Deletes the entry of a key. Deleting an absent key with [`Revision::Any`] succeeds.
    ///
    /// Not cancel-safe: after dropping the future, the entry may have been deleted.
    ///
    /// # Errors
    ///
    /// [`WrongRevision`](ErrorKind::WrongRevision),
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) for [`Revision::Absent`], and the errors
    /// of [`get`](Self::get).
    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>>;

    /// Returns all entries whose keys begin with `prefix` and a dot, or all entries of the bucket
    /// if `prefix` is empty, in the order of their keys.
    ///
    /// The result is no snapshot: an entry that is written or deleted meanwhile is in its earlier or
    /// its later state. An entry that exists all the time is never left out.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`get`](Self::get).
    fn list(&self, bucket: &str, prefix: &str)
    -> Completion<Result<Vec<CoordinationEntry>, Error>>;
}

/// An entry of a bucket.
///
/// Fields may be added: start with [`new`](Self::new).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoordinationEntry {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Bytes,
    /// The revision: the number of the write that wrote it, at least one.
    pub revision: u64,
    /// When it was written, by the clock of the transport or server.
    pub written_at: Timestamp,
}

impl CoordinationEntry {
    /// An entry.
    #[must_use]
    pub fn new(key: impl Into<Text>, value: Bytes, revision: u64, written_at: Timestamp) -> Self {
        Self {
            key: key.into(),
            value,
            revision,
            written_at,
        }
    }

    /// Checks the key of an entry.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject).
    pub fn check_key(key: &str) -> Result<(), Error> {
        check_key(key).map_err(|why| {
            let kind = ErrorKind::InvalidSubject;
            Error::new(kind, Operation::Coordinate, why.to_string()).at_subject(key)
        })
    }

    /// Checks the prefix of a list: a key, or nothing for all entries.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject).
    pub fn check_prefix(prefix: &str) -> Result<(), Error> {
        if prefix.is_empty() {
            return Ok(());
        }
        Self::check_key(prefix)
    }
}

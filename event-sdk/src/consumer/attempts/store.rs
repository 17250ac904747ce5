//! `RecordStore`: where attempt records are kept; in the process, if there is no bucket.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Bucket, Completion, Error, ErrorKind, Revision};

/// Keeps values by key, and changes them by compare-and-set.
pub(crate) trait RecordStore: fmt::Debug + Send + Sync {
    /// Reads a value; `None` if there is none.
    fn get(&self, key: &Text) -> Completion<Result<Option<Stored>, StoreError>>;

    /// Writes a value, and returns its revision.
    fn put(
        &self,
        key: &Text,
        value: String,
        expected: Expected,
    ) -> Completion<Result<u64, StoreError>>;

    /// Deletes a value, whatever its revision. An absent one is deleted already.
    fn delete(&self, key: &Text) -> Completion<Result<(), StoreError>>;
}

/// A value in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) value: Bytes,
    pub(crate) revision: u64,
}

/// The revision that a write expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Absent,
    Exactly(u64),
}

/// Why a store did not do as asked.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// The value has another revision.
    WrongRevision,
    /// There is no store: it is not supported, was not created, or may not be used. The text is the
    /// reason.
    Absent(String),
    /// It cannot be reached now, and a write may have been done.
    Away(Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongRevision => f.write_str("another process changes the record"),
            Self::Absent(why) => f.write_str(why),
            Self::Away(error) => error.fmt(f),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::WrongRevision { .. } => Self::WrongRevision,
            ErrorKind::Unsupported(_) | ErrorKind::BucketNotFound | ErrorKind::PermissionDenied => {
                Self::Absent(error.to_string())
            }
            _ => Self::Away(error),
        }
    }
}

impl RecordStore for Bucket {
    fn get(&self, key: &Text) -> Completion<Result<Option<Stored>, StoreError>> {
        let entry = Bucket::get(self, key);
        mapped(entry, |entry| {
            entry.map(|entry| Stored {
                value: entry.value,
                revision: entry.revision,
            })
        })
    }

    fn put(
        &self,
        key: &Text,
        value: String,
        expected: Expected,
    ) -> Completion<Result<u64, StoreError>> {
        let expected = match expected {
            Expected::Absent => Revision::Absent,
            Expected::Exactly(revision) => Revision::Exactly(revision),
        };
        mapped(Bucket::put(self, key, value, expected, None), |revision| {
            revision
        })
    }

    fn delete(&self, key: &Text) -> Completion<Result<(), StoreError>> {
        mapped(Bucket::delete(self, key, Revision::Any), |()| ())
    }
}

fn mapped<A: Send + 'static, B: Send + 'static>(
    answer: Completion<Result<A, Error>>,
    map: impl FnOnce(A) -> B + Send + 'static,
) -> Completion<Result<B, StoreError>> {
    match answer.try_into_ready() {
        Ok(answer) => Completion::ready(answer.map(map).map_err(StoreError::from)),
        Err(answer) => {
            Completion::later(async move { answer.await.map(map).map_err(StoreError::from) })
        }
    }
}

/// How many records a process keeps at most without a bucket; the oldest is forgotten.
const LOCAL_RECORDS: usize = 10_000;

/// Keeps records in the process.
#[derive(Debug, Default)]
pub(super) struct LocalStore(Mutex<Local>);

#[derive(Debug, Default)]
struct Local {
    revision: u64,
    entries: HashMap<Text, (String, u64)>,
    by_revision: BTreeMap<u64, Text>,
}

impl LocalStore {
    fn lock(&self) -> MutexGuard<'_, Local> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordStore for LocalStore {
    fn get(&self, key: &Text) -> Completion<Result<Option<Stored>, StoreError>> {
        let local = self.lock();
        let stored = local.entries.get(key).map(|(value, revision)| Stored {
            value: Bytes::copy_from_slice(value.as_bytes()),
            revision: *revision,
        });
        Completion::ready(Ok(stored))
    }

    fn put(
        &self,
        key: &Text,
        value: String,
        expected: Expected,
    ) -> Completion<Result<u64, StoreError>> {
        Completion::ready(self.lock().put(key, value, expected))
    }

    fn delete(&self, key: &Text) -> Completion<Result<(), StoreError>> {
        self.lock().remove(key);
        Completion::ready(Ok(()))
    }
}

impl Local {
    fn put(&mut self, key: &Text, value: String, expected: Expected) -> Result<u64, StoreError> {
        let revision = self.entries.get(key).map(|(_, revision)| *revision);
        let expects = match expected {
            Expected::Absent => None,
            Expected::Exactly(revision) => Some(revision),
        };
        if revision != expects {
            return Err(StoreError::WrongRevision);
        }
        self.remove(key);
        self.revision += 1;
        self.entries.insert(key.clone(), (value, self.revision));
        self.by_revision.insert(self.revision, key.clone());
        if self.entries.len() > LOCAL_RECORDS
            && let Some((_, oldest)) = self.by_revision.pop_first()
        {
            self.entries.remove(&oldest);
        }
        Ok(self.revision)
    }

    fn remove(&mut self, key: &Text) {
        if let Some((_, revision)) = self.entries.remove(key) {
            self.by_revision.remove(&revision);
        }
    }
}

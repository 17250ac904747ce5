//! `Bucket`: one bucket of a transport, as the consumer runtime and services use it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{
    Completion, CoordinationEntry, Error, Operation, PutRequest, Revision, Transport,
    TransportExt as _,
};
use crate::text::Text;

/// One bucket of a transport: see [`Coordination`](super::Coordination) for what each operation
/// guarantees. A transport without that ability returns
/// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
///
/// A clone is another handle of the same bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    transport: Arc<dyn Transport>,
    name: Text,
}

impl Bucket {
    /// The bucket `name` of a transport. Nothing is requested, so the bucket need not exist.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, name: impl Into<Text>) -> Self {
        Self {
            transport,
            name: name.into(),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Returns the entry of a key; `None` if it is absent.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`Coordination::get`](super::Coordination::get).
    pub fn get(&self, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        self.transport.coordination_get(&self.name, key)
    }

    /// Writes the value of a key, and returns its new revision. The entry disappears after
    /// `expiry` or the maximum age of the bucket, whichever ends first.
    ///
    /// Not cancel-safe: after dropping the future, the value may have been written.
    ///
    /// # Errors
    ///
    /// The errors of [`Coordination::put`](super::Coordination::put).
    pub fn put(
        &self,
        key: impl Into<Text>,
        value: impl Into<Bytes>,
        expected: Revision,
        expiry: Option<Duration>,
    ) -> Completion<Result<u64, Error>> {
        let mut request = PutRequest::new(self.name.clone(), key, value);
        request.expected = expected;
        request.expiry = expiry;
        let supported = self
            .transport
            .check_needs(request.needs(), Operation::Coordinate);
        match supported {
            Ok(()) => self.transport.coordination_put(request),
            Err(error) => {
                let error = error.at_subject(&request.key).at_bucket(self.name.clone());
                Completion::ready(Err(error))
            }
        }
    }

    /// Deletes the entry of a key. Deleting an absent key with [`Revision::Any`] succeeds.
    ///
    /// Not cancel-safe: after dropping the future, the entry may have been deleted.
    ///
    /// # Errors
    ///
    /// The errors of [`Coordination::delete`](super::Coordination::delete).
    pub fn delete(&self, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        self.transport
            .coordination_delete(&self.name, key, expected)
    }

    /// Returns all entries whose keys begin with `prefix` and a dot, or all entries if `prefix` is
    /// empty, in the order of their keys.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`Coordination::list`](super::Coordination::list).
    pub fn list(&self, prefix: &str) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        self.transport.coordination_list(&self.name, prefix)
    }
}

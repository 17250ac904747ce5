//! Broken promises of coordination: entries of buckets by key.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use event_sdk::transport::{
    BucketConfig, Capability, Completion, Coordination, CoordinationEntry, Difference, Error,
    ErrorKind, Operation, PutRequest, Revision, StreamChange, Transport, TransportExt as _,
};

use super::{Broken, Sabotage, blurred, only_pretended};

/// What a transport knows of its entries to break its promises.
#[derive(Debug, Default)]
pub(super) struct Coordinating {
    /// Whether it is the second of two connections.
    pub(super) is_second: bool,
    /// Whether an entry has had an expiry.
    expired: AtomicBool,
    /// The keys that were deleted.
    deleted: Arc<Mutex<Vec<String>>>,
}

impl<T: Transport> Broken<T> {
    /// The bucket that is used instead.
    fn used(&self, bucket: &str) -> String {
        match self.sabotage {
            Sabotage::HasOneBucket => "ONE".to_owned(),
            Sabotage::KeepsBucketsToItself if self.coordination.is_second => {
                format!("{bucket}second")
            }
            _ => bucket.to_owned(),
        }
    }

    /// Does it after what has to be done before, and says what came of it.
    fn coordinated<A: Send + 'static>(
        &self,
        bucket: &str,
        work: impl FnOnce(Arc<T>) -> Completion<Result<A, Error>> + Send + 'static,
    ) -> Completion<Result<A, Error>> {
        let draining = self.draining.load(Ordering::Relaxed);
        if draining && self.is(Sabotage::RefusesToCoordinateWhileDraining) {
            return Completion::ready(Err(Error::draining(Operation::Coordinate)));
        }
        let (inner, sabotage) = (Arc::clone(&self.inner), self.sabotage);
        let made = match sabotage {
            Sabotage::CreatesBucketsUnasked => true,
            Sabotage::KeepsBucketsToItself => self.coordination.is_second,
            _ => false,
        };
        let bucket = bucket.to_owned();
        Completion::later(async move {
            if made && inner.coordination_get(&bucket, "k").await.is_err() {
                // It may be closed, of which the next answer tells.
                let _ = inner.apply_bucket(&BucketConfig::new(bucket)).await;
            }
            let answer = work(inner).await;
            answer.map_err(|error| match sabotage {
                Sabotage::IsNeverSureOfWrites => error.with_unknown_outcome(),
                _ => blurred(sabotage, error),
            })
        })
    }

    fn takes_any_key(&self, key: &str) -> bool {
        self.is(Sabotage::TakesAnyKey) && CoordinationEntry::check_key(key).is_err()
    }

    /// The error of a key that is none in the house grammar.
    fn check_house(&self, key: &str) -> Result<(), Error> {
        let house = event_sdk::subject::grammar::check_relative(key).is_ok();
        if house || self.sabotage != Sabotage::TakesHouseKeysOnly {
            return Ok(());
        }
        let (kind, operation) = (ErrorKind::InvalidSubject, Operation::Coordinate);
        Err(Error::new(kind, operation, "it is no key of this house"))
    }
}

impl<T: Transport> Coordination for Broken<T> {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        if self.is(Sabotage::AppliesNoBuckets) {
            return Completion::ready(Ok(StreamChange::Unchanged));
        }
        let sabotage = self.sabotage;
        let mut config = config.clone();
        config.name = self.used(&config.name).into();
        if sabotage == Sabotage::IgnoresTheAgeOfBuckets {
            config.max_age = config.max_age.map(|age| age * 1000);
        }
        let applied = self.inner.apply_bucket(&config);
        Completion::later(async move {
            match (sabotage, applied.await) {
                (Sabotage::CallsEachBucketNew, Ok(_)) => Ok(StreamChange::Created),
                (Sabotage::ConfirmsBucketsThatCannotBe, Err(error))
                    if *error.kind() == ErrorKind::InvalidOption =>
                {
                    Ok(StreamChange::Unchanged)
                }
                (_, applied) => applied.map_err(|error| blurred(sabotage, error)),
            }
        })
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        let mut config = config.clone();
        config.name = self.used(&config.name).into();
        let (compared, sabotage) = (self.inner.compare_bucket(&config), self.sabotage);
        Completion::later(async move {
            match (sabotage, compared.await) {
                (Sabotage::FindsBucketsAlike, Ok(_)) => Ok(Vec::new()),
                (_, compared) => compared.map_err(|error| blurred(sabotage, error)),
            }
        })
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        if self.takes_any_key(key) {
            return Completion::ready(Ok(None));
        }
        let (bucket, key) = (self.used(bucket), key.to_owned());
        self.coordinated(&bucket.clone(), move |inner| {
            inner.coordination_get(&bucket, &key)
        })
    }

    fn put(&self, mut request: PutRequest) -> Completion<Result<u64, Error>> {
        if self.takes_any_key(&request.key) {
            return Completion::ready(Ok(1));
        }
        if let Err(error) = self.check_house(&request.key) {
            return Completion::ready(Err(error));
        }
        let asked = request.expiry.is_some();
        if asked && self.is(Sabotage::Pretends(Capability::CoordinationExpiry)) {
            let expiry = Capability::CoordinationExpiry;
            return Completion::ready(Err(only_pretended(expiry, Operation::Coordinate)));
        }
        request.bucket = self.used(&request.bucket).into();
        match self.sabotage {
            Sabotage::IgnoresRevisions => request.expected = Revision::Any,
            Sabotage::CutsValuesAtZero => {
                let end = request.value.iter().position(|byte| *byte == 0);
                request.value.truncate(end.unwrap_or(request.value.len()));
            }
            Sabotage::ConfirmsTooLargeValues
                if request
                    .check(self.inner.capabilities().max_payload())
                    .is_err() =>
            {
                request.value = Bytes::new();
            }
            Sabotage::IgnoresExpiry => request.expiry = None,
            Sabotage::ExpiresEarly => request.expiry = request.expiry.map(|expiry| expiry / 2),
            Sabotage::KeepsTheExpiry => {
                let before = self.coordination.expired.fetch_or(asked, Ordering::Relaxed);
                if before && !asked {
                    request.expiry = Some(Duration::from_secs(1));
                }
            }
            Sabotage::TakesZeroForNoExpiry => {
                request.expiry = request.expiry.filter(|expiry| !expiry.is_zero());
            }
            _ => {}
        }
        let deleted = Arc::clone(&self.coordination.deleted);
        if self.is(Sabotage::NeverForgetsDeletedKeys)
            && request.expected == Revision::Absent
            && deleted
                .lock()
                .unwrap()
                .iter()
                .any(|key| *key == *request.key)
        {
            let (kind, operation) = (
                ErrorKind::WrongRevision { last: None },
                Operation::Coordinate,
            );
            return Completion::ready(Err(Error::new(kind, operation, "it was deleted")));
        }
        let sabotage = self.sabotage;
        let put = self.coordinated(&request.bucket.clone(), move |inner| {
            inner.coordination_put(request)
        });
        Completion::later(async move {
            let revision = put.await?;
            Ok(revision + u64::from(sabotage == Sabotage::AnswersAnotherRevision))
        })
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        if self.takes_any_key(key) || self.is(Sabotage::KeepsDeletedEntries) {
            return Completion::ready(Ok(()));
        }
        let expected = match self.sabotage {
            Sabotage::IgnoresRevisions | Sabotage::DeletesAnyRevision => Revision::Any,
            _ => expected,
        };
        let mut deleted = self.coordination.deleted.lock().unwrap();
        deleted.push(key.to_owned());
        drop(deleted);
        let (bucket, key) = (self.used(bucket), key.to_owned());
        let finds_nothing = self.is(Sabotage::RefusesToDeleteNothing);
        self.coordinated(&bucket.clone(), move |inner| {
            Completion::later(async move {
                if finds_nothing && inner.coordination_get(&bucket, &key).await?.is_none() {
                    let kind = ErrorKind::WrongRevision { last: None };
                    let why = "there is nothing to delete";
                    return Err(Error::new(kind, Operation::Coordinate, why));
                }
                inner.coordination_delete(&bucket, &key, expected).await
            })
        })
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        if !prefix.is_empty() && self.takes_any_key(prefix) {
            return Completion::ready(Ok(Vec::new()));
        }
        let bucket = self.used(bucket);
        let prefix = match self.sabotage {
            Sabotage::IgnoresThePrefix if CoordinationEntry::check_prefix(prefix).is_ok() => "",
            _ => prefix,
        };
        let (sabotage, prefix) = (self.sabotage, prefix.to_owned());
        let listed = self.coordinated(&bucket.clone(), move |inner| {
            inner.coordination_list(&bucket, &prefix)
        });
        Completion::later(async move {
            let mut entries = listed.await?;
            match sabotage {
                Sabotage::ListsOnePage => entries.truncate(1000),
                Sabotage::ListsByRevision => entries.sort_by_key(|entry| entry.revision),
                _ => {}
            }
            Ok(entries)
        })
    }
}

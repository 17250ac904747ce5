//! `Place`: a bucket of a case, as one transport reaches it, with deadlines.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::failure::{Failure, Outcome, ensure, ensure_eq, within};
use super::fixture::Fixture;
use event_sdk_core::transport::{
    Bucket, BucketConfig, CoordinationEntry, Difference, Error, ErrorKind, Outcome as Done,
    Revision, StreamChange, Transport, TransportExt as _,
};

/// A bucket through one transport.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) transport: Arc<dyn Transport>,
    bucket: Bucket,
    patience: Duration,
}

impl Fixture {
    /// The bucket `letter` of this case, which does not exist by that. It is removed at the end.
    pub(super) fn bucket(&self, letter: char) -> BucketConfig {
        let config = BucketConfig::new(self.prefix(letter)).replicas(self.replicas());
        self.will_apply_bucket(&config);
        config
    }

    /// A transport with the bucket `a`, which exists.
    pub(super) async fn place(&self) -> Outcome<Place> {
        let place = Place::new(self, self.start(Vec::new()).await?, &self.bucket('a'));
        place.apply(&self.bucket('a')).await?;
        Ok(place)
    }

    /// Two transports with the same bucket, which exists.
    pub(super) async fn two_places(&self) -> Outcome<[Place; 2]> {
        let (one, other) = self.both_sides().await?;
        let config = self.bucket('a');
        let places = [one, other].map(|rig| Place::new(self, rig.transport, &config));
        places[0].apply(&config).await?;
        Ok(places)
    }
}

impl Place {
    pub(super) fn new(
        fixture: &Fixture,
        transport: Arc<dyn Transport>,
        config: &BucketConfig,
    ) -> Self {
        Self {
            bucket: Bucket::new(Arc::clone(&transport), config.name.clone()),
            transport,
            patience: fixture.patience(),
        }
    }

    /// The name of the bucket.
    pub(super) fn name(&self) -> &str {
        self.bucket.name()
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Creates a bucket, or changes it.
    pub(super) async fn apply(&self, config: &BucketConfig) -> Outcome<StreamChange> {
        Ok(self.try_apply(config).await??)
    }

    pub(super) async fn try_apply(
        &self,
        config: &BucketConfig,
    ) -> Outcome<Result<StreamChange, Error>> {
        let answer = self.transport.apply_bucket(config);
        within(self.patience, "the answer to applying a bucket", answer).await
    }

    pub(super) async fn try_compare(
        &self,
        config: &BucketConfig,
    ) -> Outcome<Result<Vec<Difference>, Error>> {
        let answer = self.transport.compare_bucket(config);
        within(self.patience, "the answer to comparing a bucket", answer).await
    }

    pub(super) async fn get(&self, key: &str) -> Outcome<Option<CoordinationEntry>> {
        Ok(self.try_get(key).await??)
    }

    pub(super) async fn try_get(
        &self,
        key: &str,
    ) -> Outcome<Result<Option<CoordinationEntry>, Error>> {
        within(self.patience, "the answer to a get", self.bucket.get(key)).await
    }

    /// Writes what has to be written; its revision.
    pub(super) async fn put(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        expected: Revision,
    ) -> Outcome<u64> {
        Ok(self.try_put(key, value, expected, None).await??)
    }

    pub(super) async fn try_put(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        expected: Revision,
        expiry: Option<Duration>,
    ) -> Outcome<Result<u64, Error>> {
        let answer = self.bucket.put(key, value, expected, expiry);
        within(self.patience, "the answer to a put", answer).await
    }

    pub(super) async fn delete(&self, key: &str, expected: Revision) -> Outcome {
        Ok(self.try_delete(key, expected).await??)
    }

    pub(super) async fn try_delete(
        &self,
        key: &str,
        expected: Revision,
    ) -> Outcome<Result<(), Error>> {
        let answer = self.bucket.delete(key, expected);
        within(self.patience, "the answer to a deletion", answer).await
    }

    pub(super) async fn list(&self, prefix: &str) -> Outcome<Vec<CoordinationEntry>> {
        Ok(self.try_list(prefix).await??)
    }

    pub(super) async fn try_list(
        &self,
        prefix: &str,
    ) -> Outcome<Result<Vec<CoordinationEntry>, Error>> {
        let answer = self.bucket.list(prefix);
        within(self.patience, "the answer to a list", answer).await
    }

    /// The keys of a list, in its order.
    pub(super) async fn keys(&self, prefix: &str) -> Outcome<Vec<String>> {
        let entries = self.list(prefix).await?;
        Ok(entries.iter().map(|entry| entry.key.to_string()).collect())
    }

    /// The key has this value and revision.
    pub(super) async fn has(&self, key: &str, value: &[u8], revision: u64) -> Outcome {
        let Some(entry) = self.get(key).await? else {
            return Err(Failure::new(format!("{key} has no entry")));
        };
        ensure_eq!(&*entry.key, key, "the key of an entry");
        ensure_eq!(entry.revision, revision, "the revision of {key}");
        ensure!(
            entry.value == value,
            "the value of {key} is {:?}, not {value:?}",
            entry.value
        );
        Ok(())
    }

    /// The key is absent.
    pub(super) async fn has_no(&self, key: &str) -> Outcome {
        ensure_eq!(self.get(key).await?, None, "the entry of {key}");
        Ok(())
    }

    /// Asks until a key is absent.
    pub(super) async fn loses(&self, key: &str) -> Outcome {
        let asking = async {
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            loop {
                pace.tick().await;
                if self.get(key).await?.is_none() {
                    return Ok(());
                }
            }
        };
        within(self.patience, "the end of an entry", asking).await?
    }
}

/// The write was refused because its expectation does not hold, and changed nothing. If the error
/// names a revision, it is this one.
pub(super) fn wrong_revision<T>(
    what: &str,
    answer: Result<T, Error>,
    actual: Option<u64>,
) -> Outcome {
    let Err(error) = answer else {
        return Err(Failure::new(format!("{what} was accepted")));
    };
    let ErrorKind::WrongRevision { last } = *error.kind() else {
        return Err(Failure::new(format!("{what} was answered with {error}")));
    };
    if let (Some(last), Some(actual)) = (last, actual) {
        ensure_eq!(last, actual, "the revision in the answer to {what}");
    }
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome of {what}");
    Ok(())
}

/// The operation was refused with this kind.
pub(super) fn refused<T>(what: &str, answer: Result<T, Error>, kind: &ErrorKind) -> Outcome {
    match answer {
        Ok(_) => Err(Failure::new(format!("{what} was accepted"))),
        Err(error) => {
            ensure_eq!(
                error.kind(),
                kind,
                "the kind of {error}, the answer to {what}"
            );
            Ok(())
        }
    }
}

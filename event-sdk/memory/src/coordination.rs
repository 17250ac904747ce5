//! The ability `Coordination` of the memory transport: checks requests, and passes them to the
//! shared buckets.

use super::MemoryTransport;
use super::check;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    BucketConfig, Completion, Coordination, CoordinationEntry, Difference, Error, Operation,
    PutRequest, Revision, StreamChange,
};

impl Coordination for MemoryTransport {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        let checked = check::bucket(config, Operation::Manage);
        let applied = checked.and_then(|()| {
            let buckets = self.streams().buckets();
            buckets.apply(self.phase(), config)
        });
        Completion::ready(applied.map_err(|error| error.at_bucket(&config.name)))
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        let checked = check::bucket(config, Operation::Read);
        let compared = checked.and_then(|()| {
            let buckets = self.streams().buckets();
            buckets.compare(self.phase(), config)
        });
        Completion::ready(compared.map_err(|error| error.at_bucket(&config.name)))
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        let checked = CoordinationEntry::check_key(key);
        let got = checked.and_then(|()| self.streams().buckets().get(self.phase(), bucket, key));
        answer(got, bucket, key)
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        let (bucket, key) = (request.bucket.clone(), request.key.clone());
        let checked = request.check(self.0.capabilities.max_payload());
        let put = checked.and_then(|()| self.streams().buckets().put(self.phase(), request));
        answer(put, &bucket, &key)
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        let deleted = expected.check_deletion(key).and_then(|()| {
            let buckets = self.streams().buckets();
            buckets.delete(self.phase(), bucket, key, expected)
        });
        answer(deleted, bucket, key)
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        let checked = CoordinationEntry::check_prefix(prefix);
        let listed =
            checked.and_then(|()| self.streams().buckets().list(self.phase(), bucket, prefix));
        answer(listed, bucket, prefix)
    }
}

/// The result, with the key and the bucket in an error.
fn answer<T>(result: Result<T, Error>, bucket: &str, key: &str) -> Completion<Result<T, Error>> {
    Completion::ready(result.map_err(|error| {
        let error = error.at_bucket(Text::copy_of(bucket));
        match key {
            "" => error,
            _ => error.at_subject(key),
        }
    }))
}

//! `Coordination` for NATS: buckets in the layout of NATS's key-value store (ADR-8).
//!
//! A bucket `B` is the stream `KV_B` with the subjects `$KV.B.>`, which keeps the last message of
//! each subject. The sequence of a message is the revision of its entry. A put expects the last
//! sequence of its subject, a deletion stores a marker, and an expiry is a TTL of the message
//! (server 2.11). Other clients, such as the `nats` command, can read and write the same buckets,
//! but refuse keys with characters other than ASCII letters, digits and `-/_=.`.

mod config;
mod layout;
mod read;
mod write;

use std::sync::Arc;

use self::config::Bucketed;
use self::layout::Layout;
use self::write::{Change, Write};
use super::context::NatsContext;
use super::error::ErrorContext;
use super::streams::apply;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    BucketConfig, Completion, CoordinationEntry, Difference, Error, ErrorKind, Operation,
    PutRequest, Revision, StreamChange, Transport as _,
};

use super::Nats;

impl event_sdk_core::transport::Coordination for Nats {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        let (context, config) = (Arc::clone(&self.context), config.clone());
        let owner = Arc::clone(&context);
        owner.later(Operation::Manage, async move {
            let name = config.name.clone();
            let applied = apply_bucket(&context, config).await;
            applied.map_err(|error| error.at_bucket(name))
        })
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        let (context, config) = (Arc::clone(&self.context), config.clone());
        let owner = Arc::clone(&context);
        owner.later(Operation::Read, async move {
            let name = config.name.clone();
            let compared = compare_bucket(&context, config).await;
            compared.map_err(|error| about(error, &name, ""))
        })
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        let checked = CoordinationEntry::check_key(key);
        let (bucket, key) = (Text::copy_of(bucket), Text::copy_of(key));
        let key_of = key.clone();
        self.coordinate(checked, bucket, key, async move |context, layout| {
            read::get(&context, &layout, &key_of).await
        })
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        let checked = request.check(self.capabilities().max_payload());
        let checked = checked.and_then(|()| self.check_expiry(&request));
        let PutRequest {
            bucket,
            key,
            value,
            expected,
            expiry,
            ..
        } = request;
        let key_of = key.clone();
        self.coordinate(checked, bucket, key, async move |context, layout| {
            let change = Change::Put { value, expiry };
            Write::new(&context, &layout, &key_of, change, expected)
                .run()
                .await
        })
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        let checked = expected.check_deletion(key);
        let (bucket, key) = (Text::copy_of(bucket), Text::copy_of(key));
        let key_of = key.clone();
        self.coordinate(checked, bucket, key, async move |context, layout| {
            let deleting = Write::new(&context, &layout, &key_of, Change::Delete, expected);
            deleting.run().await.map(drop)
        })
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        let checked = CoordinationEntry::check_prefix(prefix);
        let (bucket, prefix) = (Text::copy_of(bucket), Text::copy_of(prefix));
        let prefix_of = prefix.clone();
        self.coordinate(checked, bucket, prefix, async move |context, layout| {
            read::list(&context, &layout, &prefix_of).await
        })
    }
}

impl Nats {
    fn check_expiry(&self, request: &PutRequest) -> Result<(), Error> {
        use event_sdk_core::transport::TransportExt as _;
        self.check_needs(request.needs(), Operation::Coordinate)
    }

    /// Does `work` on a bucket unless the request was refused, and completes its error.
    fn coordinate<T, F>(
        &self,
        checked: Result<(), Error>,
        bucket: Text,
        key: Text,
        work: impl FnOnce(Arc<NatsContext>, Layout) -> F + Send + 'static,
    ) -> Completion<Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let context = Arc::clone(&self.context);
        let ready = checked.and_then(|()| {
            context.check_publishing(Operation::Coordinate)?;
            Layout::of(&bucket)
        });
        let layout = match ready {
            Ok(layout) => layout,
            Err(error) => return Completion::ready(Err(about(error, &bucket, &key))),
        };
        let owner = Arc::clone(&context);
        owner.later(Operation::Coordinate, async move {
            let done = work(context, layout).await;
            done.map_err(|error| about(error, &bucket, &key))
        })
    }
}

/// The error, with the bucket and the key.
fn about(error: Error, bucket: &Text, key: &str) -> Error {
    let error = match error.kind() {
        ErrorKind::StreamNotFound => layout::missing(),
        _ => error,
    };
    let error = error.at_bucket(bucket.clone());
    // A denied request names the subject to which it was sent.
    if key.is_empty() || *error.kind() == ErrorKind::PermissionDenied {
        return error;
    }
    error.at_subject(key)
}

/// What applying the bucket would change.
async fn compare_bucket(
    context: &NatsContext,
    config: BucketConfig,
) -> Result<Vec<Difference>, Error> {
    let about = ErrorContext::new(Operation::Read);
    context.check_open(about.operation)?;
    config
        .check()
        .map_err(|why| about.error(ErrorKind::InvalidOption, why))?;
    let wanted = Bucketed::new(config, context.server().has_message_ttl());
    apply::compare(context, &about, &wanted).await
}

/// Creates the bucket or changes it.
async fn apply_bucket(context: &NatsContext, config: BucketConfig) -> Result<StreamChange, Error> {
    let about = ErrorContext::new(Operation::Manage);
    context.check_open(about.operation)?;
    config
        .check()
        .map_err(|why| about.error(ErrorKind::InvalidOption, why))?;
    let wanted = Bucketed::new(config, context.server().has_message_ttl());
    apply::apply(context, &about, &wanted).await
}

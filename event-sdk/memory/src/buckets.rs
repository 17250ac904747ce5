//! `Buckets`: entries by key with revisions and expiry, shared by all connections.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt};
use jiff::Timestamp;

use super::phase::Phase;
use event_sdk_clock::Clock;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    BucketConfig, CoordinationEntry, Difference, Error, ErrorKind, Operation, PutRequest, Revision,
    StreamChange,
};

/// The buckets of a transport, behind one lock.
#[derive(Debug)]
pub(super) struct Buckets {
    clock: Arc<dyn Clock>,
    by_name: Mutex<HashMap<Text, Entries>>,
}

impl Buckets {
    /// Buckets with valid configurations; the first of a name counts.
    pub(super) fn new(configs: Vec<BucketConfig>, clock: Arc<dyn Clock>) -> Self {
        let mut by_name = HashMap::new();
        for config in configs {
            let name = config.name.clone();
            by_name.entry(name).or_insert_with(|| Entries::new(config));
        }
        Self {
            clock,
            by_name: Mutex::new(by_name),
        }
    }

    /// Creates a bucket, or changes it to match a valid configuration.
    pub(super) fn apply(
        &self,
        phase: &Phase,
        config: &BucketConfig,
    ) -> Result<StreamChange, Error> {
        let mut buckets = self.lock();
        phase.check(Operation::Manage)?;
        let Some(entries) = buckets.get_mut(&*config.name) else {
            buckets.insert(config.name.clone(), Entries::new(config.clone()));
            return Ok(StreamChange::Created);
        };
        entries.change(config, self.clock.monotonic())
    }

    /// The settings of a bucket that differ from a valid configuration.
    pub(super) fn compare(
        &self,
        phase: &Phase,
        config: &BucketConfig,
    ) -> Result<Vec<Difference>, Error> {
        self.with(phase, &config.name, |entries, _| {
            Ok(entries.config.differences(config))
        })
    }

    /// Does `work` on the live entries of a bucket, with the current time.
    fn with<T>(
        &self,
        phase: &Phase,
        bucket: &str,
        work: impl FnOnce(&mut Entries, Duration) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut buckets = self.lock();
        // Under the lock, so that nothing is done after the connection was closed.
        phase.check(Operation::Coordinate)?;
        let entries = buckets.get_mut(bucket).ok_or_else(|| {
            Error::new(
                ErrorKind::BucketNotFound,
                Operation::Coordinate,
                format!("there is no bucket {bucket:?}; declare it, and create it with `apply`"),
            )
        })?;
        let now = self.clock.monotonic();
        entries.drop_expired(now);
        work(entries, now)
    }

    pub(super) fn get(
        &self,
        phase: &Phase,
        bucket: &str,
        key: &str,
    ) -> Result<Option<CoordinationEntry>, Error> {
        self.with(phase, bucket, |entries, _| {
            let kept = entries.by_key.get_key_value(key);
            Ok(kept.map(|(key, kept)| kept.entry(key)))
        })
    }

    pub(super) fn put(&self, phase: &Phase, request: PutRequest) -> Result<u64, Error> {
        let PutRequest {
            bucket,
            key,
            value,
            expected,
            expiry,
            ..
        } = request;
        self.with(phase, &bucket, |entries, now| {
            entries.check(&key, expected)?;
            let kept = Kept {
                value,
                revision: entries.next_revision(),
                written_at: self.clock.now(),
                written: now,
                expiry,
            };
            let revision = kept.revision;
            entries.remove(&key);
            entries.insert(key, kept);
            Ok(revision)
        })
    }

    pub(super) fn delete(
        &self,
        phase: &Phase,
        bucket: &str,
        key: &str,
        expected: Revision,
    ) -> Result<(), Error> {
        self.with(phase, bucket, |entries, _| {
            entries.check(key, expected)?;
            entries.next_revision();
            entries.remove(key);
            Ok(())
        })
    }

    pub(super) fn list(
        &self,
        phase: &Phase,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<CoordinationEntry>, Error> {
        let start = match prefix {
            "" => String::new(),
            _ => format!("{prefix}."),
        };
        self.with(phase, bucket, |entries, _| {
            let from = (Bound::Included(&*start), Bound::Unbounded);
            let found = entries.by_key.range::<str, _>(from);
            let found = found.take_while(|(key, _)| key.starts_with(&start));
            Ok(found.map(|(key, kept)| kept.entry(key)).collect())
        })
    }

    /// Drops all entries: the last connection was closed.
    pub(super) fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Text, Entries>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One bucket.
#[derive(Debug)]
struct Entries {
    config: BucketConfig,
    by_key: BTreeMap<Text, Kept>,
    /// The keys by the time at which they expire.
    deadlines: BTreeSet<(Duration, Text)>,
    /// The revision of the last write.
    last: u64,
}

/// An entry as it was written.
struct Kept {
    value: Bytes,
    revision: u64,
    written_at: Timestamp,
    /// The time for which the clock had run then.
    written: Duration,
    expiry: Option<Duration>,
}

impl fmt::Debug for Kept {
    /// Without the value, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("value_len", &self.value.len())
            .field("revision", &self.revision)
            .field("written_at", &self.written_at)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

impl Entries {
    fn new(config: BucketConfig) -> Self {
        Self {
            config,
            by_key: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            last: 0,
        }
    }

    fn next_revision(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn check(&self, key: &str, expected: Revision) -> Result<(), Error> {
        let last = self.by_key.get(key).map(|kept| kept.revision);
        let (holds, wanted) = match expected {
            Revision::Any => (true, String::new()),
            Revision::Absent => (last.is_none(), "no entry".to_owned()),
            Revision::Exactly(revision) => (last == Some(revision), format!("revision {revision}")),
        };
        if holds {
            return Ok(());
        }
        let found = match last {
            Some(revision) => format!("the key has revision {revision}"),
            None => "the key has no entry".to_owned(),
        };
        Err(Error::new(
            ErrorKind::WrongRevision { last },
            Operation::Coordinate,
            format!("{found}, and the write expected {wanted}; read it, and decide anew"),
        ))
    }

    fn insert(&mut self, key: Text, kept: Kept) {
        if let Some(deadline) = kept.deadline(&self.config) {
            self.deadlines.insert((deadline, key.clone()));
        }
        self.by_key.insert(key, kept);
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, kept)) = self.by_key.remove_entry(key)
            && let Some(deadline) = kept.deadline(&self.config)
        {
            self.deadlines.remove(&(deadline, key));
        }
    }

    fn drop_expired(&mut self, now: Duration) {
        while let Some((deadline, _)) = self.deadlines.first()
            && *deadline <= now
            && let Some((_, key)) = self.deadlines.pop_first()
        {
            self.by_key.remove(&*key);
        }
    }

    fn change(&mut self, wanted: &BucketConfig, now: Duration) -> Result<StreamChange, Error> {
        let differences = self.config.differences(wanted);
        if differences.is_empty() {
            return Ok(StreamChange::Unchanged);
        }
        if self.config.storage != wanted.storage {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Manage,
                "the storage of an existing bucket cannot be changed; declare a bucket of another name",
            ));
        }
        // By the old age first: what it has ended does not come back.
        self.drop_expired(now);
        self.config = wanted.clone();
        self.deadlines.clear();
        for (key, kept) in std::mem::take(&mut self.by_key) {
            self.insert(key, kept);
        }
        self.drop_expired(now);
        Ok(StreamChange::Updated { differences })
    }
}

impl Kept {
    /// When it expires, by the time for which the clock has run.
    fn deadline(&self, config: &BucketConfig) -> Option<Duration> {
        let after = [self.expiry, config.max_age];
        let after = after.into_iter().flatten().min()?;
        self.written.checked_add(after)
    }

    fn entry(&self, key: &Text) -> CoordinationEntry {
        CoordinationEntry::new(
            key.clone(),
            self.value.clone(),
            self.revision,
            self.written_at,
        )
    }
}

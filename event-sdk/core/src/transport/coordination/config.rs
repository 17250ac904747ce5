//! `BucketConfig`: name, maximum age, replicas and storage of a bucket, and its checks.

use std::fmt;
use std::time::Duration;

use super::super::difference::{Difference, Differences, Limit};
use crate::stream::{Storage, StreamConfig, check_name};
use crate::text::Text;

/// The configuration of a bucket.
///
/// Fields may be added: start with [`new`](Self::new) or [`default`](Self::default).
///
/// ```
/// use std::time::Duration;
/// use event_sdk_core::transport::BucketConfig;
///
/// let bucket = BucketConfig::new("BILLING")
///     .max_age(Duration::from_secs(24 * 3600))
///     .replicas(3);
/// assert_eq!(bucket.check(), Ok(()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketConfig {
    /// The name: letters, digits, `_` and `-`.
    pub name: Text,
    /// How long an entry is kept after its last put, unless its own expiry ends earlier. `None`:
    /// for ever.
    pub max_age: Option<Duration>,
    /// Number of replicas in a cluster: from one to [`StreamConfig::MAX_REPLICAS`].
    pub replicas: u8,
    /// Where a server stores the entries. With [`Storage::Memory`], leases and attempt records are
    /// lost when every replica has stopped.
    pub storage: Storage,
}

impl BucketConfig {
    /// The name of the bucket of a bus that declares no bucket.
    pub const DEFAULT_NAME: &'static str = "EVENT_SDK";

    /// The default maximum age of entries: 7 days.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

    /// Maximum length of a name in bytes. A server keeps a bucket in a stream, whose name is three
    /// bytes longer.
    pub const MAX_NAME_LEN: usize = 252;

    /// A bucket with this name, a maximum age of 7 days and one replica on disk.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Self {
        Self::named(name.into())
    }

    /// Like [`new`](Self::new), with a constant name: it can stand in a `const`.
    #[must_use]
    pub const fn constant(name: &'static str) -> Self {
        Self::named(Text::from_static(name))
    }

    const fn named(name: Text) -> Self {
        Self {
            name,
            max_age: Some(Self::DEFAULT_MAX_AGE),
            replicas: 1,
            storage: Storage::File,
        }
    }

    /// Sets the maximum age of entries. Default: 7 days. Keep it longer than the longest wait
    /// between two attempts at an event, since attempt records are counted only while they exist.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Keeps entries for ever. On a NATS server, a deletion leaves a marker of some hundred bytes,
    /// which then stays for ever too.
    #[must_use]
    pub const fn unlimited_age(mut self) -> Self {
        self.max_age = None;
        self
    }

    /// Sets the number of replicas. Default: one; use three in a cluster of three.
    #[must_use]
    pub const fn replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets where a server stores the entries. Default: [`Storage::File`].
    #[must_use]
    pub const fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Validates the configuration, as far as possible without a server.
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence.
    pub fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        if self.name.len() > Self::MAX_NAME_LEN {
            return Err(format!(
                "the name of a bucket has at most {} bytes",
                Self::MAX_NAME_LEN
            ));
        }
        if self.max_age.is_some_and(|age| age.is_zero()) {
            return Err(
                "a maximum age of zero keeps no entry; make it longer, or keep entries without an end"
                    .to_owned(),
            );
        }
        if !(1..=StreamConfig::MAX_REPLICAS).contains(&self.replicas) {
            return Err(format!(
                "it cannot have {} replicas; use 1 to {}, three in a cluster of three",
                self.replicas,
                StreamConfig::MAX_REPLICAS
            ));
        }
        Ok(())
    }

    /// The settings of this existing bucket that differ from `wanted`.
    #[must_use]
    pub fn differences(&self, wanted: &Self) -> Vec<Difference> {
        let mut differences = Differences::default();
        let mut compare = |field, existing: &dyn fmt::Debug, wanted: &dyn fmt::Debug| {
            differences.compare(field, existing, wanted);
        };
        compare("name", &self.name, &wanted.name);
        compare("max age", &Limit(&self.max_age), &Limit(&wanted.max_age));
        compare("replicas", &self.replicas, &wanted.replicas);
        compare("storage", &self.storage, &wanted.storage);
        differences.into_found()
    }
}

impl Default for BucketConfig {
    /// A bucket of the name [`DEFAULT_NAME`](Self::DEFAULT_NAME).
    fn default() -> Self {
        Self::new(Text::from_static(Self::DEFAULT_NAME))
    }
}

impl From<&str> for BucketConfig {
    /// As [`BucketConfig::new`].
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_a_difference_of_its_own() {
        let existing = BucketConfig::new("A");
        for (field, wanted) in [
            ("name", BucketConfig::new("B")),
            ("max age", BucketConfig::new("A").unlimited_age()),
            ("replicas", BucketConfig::new("A").replicas(3)),
            ("storage", BucketConfig::new("A").storage(Storage::Memory)),
        ] {
            let differences = existing.differences(&wanted);
            let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
            assert_eq!(fields, [field]);
        }
        assert_eq!(existing.differences(&BucketConfig::from("A")), []);
    }

    #[test]
    fn what_no_bucket_can_be_is_refused() {
        let longest = "B".repeat(BucketConfig::MAX_NAME_LEN);
        assert_eq!(BucketConfig::new(&*longest).check(), Ok(()));
        assert_eq!(BucketConfig::default().check(), Ok(()));
        for wrong in [
            BucketConfig::new(""),
            BucketConfig::new("a.b"),
            BucketConfig::new("a b"),
            BucketConfig::new(format!("{longest}B")),
            BucketConfig::new("A").max_age(Duration::ZERO),
            BucketConfig::new("A").replicas(0),
            BucketConfig::new("A").replicas(StreamConfig::MAX_REPLICAS + 1),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}

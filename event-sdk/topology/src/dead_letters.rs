//! `DeadLetterSpec`: a dead-letter stream and its retry stream, as a constant.

use std::time::Duration;

use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::{Storage, StreamSpec};

/// A dead-letter stream and its retry stream as a constant. Both have the declarations of
/// [`DeadLetterStream`]. Replicas, storage and limits apply to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterSpec {
    pub(crate) name: &'static str,
    pub(crate) retry: &'static str,
    /// The letters are kept elsewhere.
    pub(crate) in_tables: bool,
    prefix: Option<&'static str>,
    replicas: u8,
    storage: Storage,
    max_age: Duration,
    max_bytes: u64,
}

impl DeadLetterSpec {
    /// Declares the dead-letter stream `name` and the retry stream `retry`, on disk, with one
    /// replica and no limits. A [`DeadLetterStream`] calls the retry stream `<name>_RETRY` unless
    /// another name is set.
    #[must_use]
    pub const fn new(name: &'static str, retry: &'static str) -> Self {
        Self {
            name,
            retry,
            in_tables: false,
            prefix: None,
            replicas: 1,
            storage: Storage::File,
            max_age: Duration::ZERO,
            max_bytes: 0,
        }
    }

    /// Declares the retry stream alone, for services that keep their letters in tables of their
    /// databases (`event-sdk-sql`). There is then no dead-letter stream; its name only identifies
    /// this declaration. Default: both streams.
    #[must_use]
    pub const fn in_tables(mut self) -> Self {
        self.in_tables = true;
        self
    }

    /// Whether the letters are kept in [tables](Self::in_tables).
    #[must_use]
    pub const fn are_in_tables(&self) -> bool {
        self.in_tables
    }

    /// Puts tokens before `dlq.` and `retry.`, see [`DeadLetterStream::under`]. Default: none.
    #[must_use]
    pub const fn under(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self
    }

    /// Sets the number of replicas. Default: one.
    #[must_use]
    pub const fn replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets where a server stores the messages. Default: on disk.
    #[must_use]
    pub const fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Limits the age of letters. Older letters are dropped, even if they are still open. Default:
    /// zero, no limit.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Limits the bytes of each of the two streams. A full stream refuses new letters, and
    /// consumers then wait. Default: zero, no limit.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The names of the streams, for
    /// [`DeadLetters::stream`](event_sdk::dead_letters::DeadLetters::stream).
    #[must_use]
    pub fn place(&self) -> DeadLetterStream {
        let place = DeadLetterStream::new(self.name).retry(self.retry);
        match self.prefix {
            Some(prefix) => place.under(prefix),
            None => place,
        }
    }

    /// What stands before `dlq.` and `retry.` in subjects.
    pub(crate) fn before_subjects(&self) -> String {
        let prefix = self.prefix.map(|prefix| format!("{prefix}."));
        prefix.unwrap_or_default()
    }

    /// The declarations of its streams.
    pub(crate) fn specs(&self) -> impl Iterator<Item = StreamSpec> {
        let (place, limits) = (self.place(), *self);
        let both = [place.spec(), place.retry_spec()].into_iter();
        both.skip(usize::from(self.in_tables)).map(move |spec| {
            spec.replicas(limits.replicas)
                .storage(limits.storage)
                .max_age(limits.max_age)
                .max_bytes(limits.max_bytes)
        })
    }
}

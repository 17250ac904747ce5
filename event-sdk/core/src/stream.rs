//! `StreamSpec` and `StreamConfig`: declare a stream's name, subjects, limits, retention,
//! replicas and duplicate window.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::shown::Shown;
use crate::subject::{InvalidSubject, Pattern};
use crate::text::Text;

/// The declaration of a stream: name, subjects, limits, retention and storage.
///
/// Patterns are relative to the bus's prefix (`orders.>`); [`absolute`](Self::absolute) adds one
/// that is not.
///
/// ```
/// use std::time::Duration;
/// use event_sdk_core::stream::StreamSpec;
///
/// let orders = StreamSpec::new("ORDERS")
///     .subject("orders.>")
///     .max_age(Duration::from_secs(7 * 24 * 3600))
///     .max_messages(1_000_000);
/// assert!(orders.config("events").is_ok());
/// ```
///
/// A declaration can be a constant, which a deployment and a service share:
///
/// ```
/// use std::time::Duration;
/// use event_sdk_core::stream::{Retention, StreamSpec};
///
/// const JOBS: StreamSpec = StreamSpec::constant("JOBS", &["jobs.>"])
///     .max_age(Duration::from_secs(3600))
///     .retention(Retention::WorkQueue)
///     .replicas(3);
/// assert!(JOBS.config("events").is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSpec {
    name: Text,
    /// Relative subjects that are constants of the program.
    constant: &'static [&'static str],
    relative: Vec<Text>,
    absolute: Vec<Text>,
    limits: Limits,
    deduplication: Deduplication,
    retention: Retention,
    storage: Storage,
    replicas: u8,
    compression: Compression,
}

impl StreamSpec {
    /// A stream without subjects and with JetStream's defaults: no limits, one replica on disk, a
    /// duplicate window of two minutes.
    pub fn new(name: impl Into<Text>) -> Self {
        Self::named(name.into(), &[])
    }

    /// A stream that stores the subjects that match `subjects`, relative to the bus's prefix, with
    /// the defaults of [`new`](Self::new). It can stand in a `const`; patterns are checked, as
    /// those of [`subject`](Self::subject) are, when the declaration is [used](Self::config).
    #[must_use]
    pub const fn constant(name: &'static str, subjects: &'static [&'static str]) -> Self {
        Self::named(Text::from_static(name), subjects)
    }

    const fn named(name: Text, constant: &'static [&'static str]) -> Self {
        Self {
            name,
            constant,
            relative: Vec::new(),
            absolute: Vec::new(),
            limits: Limits::UNLIMITED,
            deduplication: Deduplication::DEFAULT,
            retention: Retention::Limits,
            storage: Storage::File,
            replicas: 1,
            compression: Compression::None,
        }
    }

    /// Adds the subjects that match `pattern`, relative to the bus's prefix.
    pub fn subject(mut self, pattern: impl Into<Text>) -> Self {
        self.relative.push(pattern.into());
        self
    }

    /// Adds the subjects that match `pattern`, without prefix.
    pub fn absolute(mut self, pattern: impl Into<Text>) -> Self {
        self.absolute.push(pattern.into());
        self
    }

    /// Limits the number of messages; zero: no limit.
    pub const fn max_messages(mut self, messages: u64) -> Self {
        self.limits.messages = NonZeroU64::new(messages);
        self
    }

    /// Limits the number of messages of each subject; zero: no limit.
    pub const fn max_messages_per_subject(mut self, messages: u64) -> Self {
        self.limits.messages_per_subject = NonZeroU64::new(messages);
        self
    }

    /// Limits the bytes of subjects, headers and bodies; zero: no limit.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = NonZeroU64::new(bytes);
        self
    }

    /// Limits the age of messages; zero: no limit.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.limits.age = if age.is_zero() { None } else { Some(age) };
        self
    }

    /// Limits the bytes of headers and body of one message; larger ones are refused. Zero: no
    /// limit.
    pub const fn max_message_size(mut self, bytes: u64) -> Self {
        self.limits.message_size = NonZeroU64::new(bytes);
        self
    }

    /// Sets whether a full stream drops its oldest messages or refuses new ones. Default: drops.
    pub const fn when_full(mut self, discard: Discard) -> Self {
        self.limits.discard = discard;
        self
    }

    /// Sets how long message ids are remembered. Default: two minutes; zero turns deduplication
    /// off.
    pub const fn duplicate_window(mut self, window: Duration) -> Self {
        self.deduplication.window = window;
        self
    }

    /// Limits the number of remembered message ids, on transports that can (a NATS server limits
    /// by time only). Default: 100,000.
    pub const fn duplicate_capacity(mut self, ids: usize) -> Self {
        self.deduplication.capacity = ids;
        self
    }

    /// Sets when messages within the limits are dropped. Default: never.
    pub const fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets where a server stores the messages. Default: on disk.
    pub const fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Sets the number of replicas in a cluster, from one to [`StreamConfig::MAX_REPLICAS`].
    /// Default: one.
    pub const fn replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets the compression on disk. Default: none.
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Validates the declaration and adds the prefix, for a transport.
    ///
    /// # Errors
    ///
    /// [`InvalidStream`] if a pattern is malformed, or the configuration is invalid
    /// ([`StreamConfig::check`]).
    pub fn config(&self, prefix: &str) -> Result<StreamConfig, InvalidStream> {
        let constant = self.constant.iter().copied().map(Text::from_static);
        let relative = constant
            .chain(self.relative.iter().cloned())
            .map(|text| Pattern::parse(text).and_then(|pattern| pattern.under(prefix)));
        let absolute = self
            .absolute
            .iter()
            .map(|text| Pattern::parse(text.clone()));
        let subjects = relative.chain(absolute).collect::<Result<_, _>>();
        let mut config = StreamConfig {
            limits: self.limits,
            deduplication: self.deduplication,
            retention: self.retention,
            storage: self.storage,
            replicas: self.replicas,
            compression: self.compression,
            ..StreamConfig::new(self.name.clone(), Vec::new())
        };
        config.check_name()?;
        config.subjects = subjects.map_err(|why| config.invalid(Reason::Subject(why)))?;
        config.check()?;
        Ok(config)
    }
}

/// The configuration of a stream, with whole subjects.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamConfig {
    /// The name.
    pub name: Text,
    /// The subjects; no two patterns overlap.
    pub subjects: Vec<Pattern>,
    /// Limits of size, number and age.
    pub limits: Limits,
    /// How duplicates are recognized.
    pub deduplication: Deduplication,
    /// When messages within the limits are dropped.
    pub retention: Retention,
    /// Where a server stores the messages.
    pub storage: Storage,
    /// Number of replicas in a cluster: from one to [`MAX_REPLICAS`](Self::MAX_REPLICAS).
    pub replicas: u8,
    /// Compression on disk.
    pub compression: Compression,
}

impl StreamConfig {
    /// Maximum number of replicas in JetStream (NATS documentation, "Streams", replicas).
    pub const MAX_REPLICAS: u8 = 5;

    /// A stream with JetStream's defaults: no limits, one replica on disk, a duplicate window of
    /// two minutes.
    #[must_use]
    pub fn new(name: impl Into<Text>, subjects: Vec<Pattern>) -> Self {
        Self {
            name: name.into(),
            subjects,
            limits: Limits::default(),
            deduplication: Deduplication::default(),
            retention: Retention::default(),
            storage: Storage::default(),
            replicas: 1,
            compression: Compression::default(),
        }
    }

    /// Validates the configuration, as far as possible without a server.
    ///
    /// # Errors
    ///
    /// [`InvalidStream`] if the name, the number of replicas or the deduplication is invalid,
    /// there is no subject, or two subjects overlap.
    pub fn check(&self) -> Result<(), InvalidStream> {
        self.check_name()?;
        if self.subjects.is_empty() {
            return Err(self.invalid(Reason::NoSubjects));
        }
        for (index, one) in self.subjects.iter().enumerate() {
            let mut before = self.subjects[..index].iter();
            if let Some(other) = before.find(|other| other.overlaps(one)) {
                return Err(self.invalid(Reason::Overlap(other.clone(), one.clone())));
            }
        }
        if !(1..=Self::MAX_REPLICAS).contains(&self.replicas) {
            return Err(self.invalid(Reason::Replicas(self.replicas)));
        }
        let deduplication = self.deduplication;
        if deduplication.capacity == 0 && !deduplication.window.is_zero() {
            return Err(self.invalid(Reason::RemembersNothing));
        }
        Ok(())
    }

    fn check_name(&self) -> Result<(), InvalidStream> {
        check_name(&self.name).map_err(|why| self.invalid(Reason::Name(why)))
    }

    fn invalid(&self, reason: Reason) -> InvalidStream {
        InvalidStream {
            stream: self.name.to_string(),
            reason,
        }
    }
}

/// Limits of a stream; `None` means no limit.
///
/// Fields may be added: start with [`default`](Self::default), which has no limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum number of messages.
    pub messages: Option<NonZeroU64>,
    /// Maximum number of messages of each subject; beyond it the oldest of that subject is
    /// dropped.
    pub messages_per_subject: Option<NonZeroU64>,
    /// Maximum bytes of subjects, headers and bodies.
    pub bytes: Option<NonZeroU64>,
    /// Maximum age of messages.
    pub age: Option<Duration>,
    /// Maximum bytes of headers and body of one message.
    pub message_size: Option<NonZeroU64>,
    /// What a full stream does.
    pub discard: Discard,
}

impl Limits {
    /// No limit, as by default.
    pub const UNLIMITED: Self = Self {
        messages: None,
        messages_per_subject: None,
        bytes: None,
        age: None,
        message_size: None,
        discard: Discard::Old,
    };
}

/// What happens when a stream is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discard {
    /// Drops the oldest message.
    #[default]
    Old,
    /// Refuses the new message.
    New,
}

/// When a stream drops messages that are within its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// Never: only the limits apply.
    #[default]
    Limits,
    /// When every matching consumer has acknowledged the message. A message without a matching
    /// consumer is not kept.
    Interest,
    /// When it is acknowledged once. Each subject has at most one consumer.
    WorkQueue,
}

/// Where a server stores the messages of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    /// On disk: they survive a restart.
    #[default]
    File,
    /// In memory: they are lost when every replica has stopped.
    Memory,
}

/// Compression on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// With S2, a faster kind of Snappy (NATS server 2.10).
    S2,
}

/// How a stream recognizes duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduplication {
    /// How long message ids are remembered; zero: not at all.
    pub window: Duration,
    /// Maximum number of remembered ids, on transports that can limit it.
    pub capacity: usize,
}

impl Deduplication {
    /// Two minutes (JetStream's default) and 100,000 ids.
    pub const DEFAULT: Self = Self {
        window: Duration::from_secs(120),
        capacity: 100_000,
    };
}

impl Default for Deduplication {
    /// As [`Deduplication::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Names become file names and subject tokens on a server
/// (NATS documentation, "Naming", streams and consumers).
///
/// # Errors
///
/// The reason, as the end of a sentence.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("a name has at least one character");
    }
    if name.len() > 255 {
        return Err("a name has at most 255 bytes");
    }
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    {
        return Err("a name has only letters, digits, `_` and `-`");
    }
    Ok(())
}

/// An invalid declaration of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidStream {
    stream: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Name(&'static str),
    Subject(InvalidSubject),
    NoSubjects,
    Overlap(Pattern, Pattern),
    Replicas(u8),
    RemembersNothing,
}

impl InvalidStream {
    /// The reason without the stream's name, as the end of a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        self.reason.to_string()
    }
}

impl fmt::Display for InvalidStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stream \"{}\": {}",
            Shown(&self.stream, 255),
            self.reason
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(why) => f.write_str(why),
            Self::Subject(why) => why.fmt(f),
            Self::NoSubjects => f.write_str("it stores no subject; add one with `.subject(…)`"),
            Self::Overlap(one, other) => write!(
                f,
                "its patterns {one} and {other} overlap; a message would be stored twice"
            ),
            Self::Replicas(replicas) => write!(
                f,
                "it cannot have {replicas} replicas; use 1 to {}, three in a cluster of three",
                StreamConfig::MAX_REPLICAS
            ),
            Self::RemembersNothing => f.write_str(
                "it is to remember message ids, but none of them; set the duplicate window to zero to turn deduplication off",
            ),
        }
    }
}

impl std::error::Error for InvalidStream {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::grammar::is_unseen;

    #[test]
    fn a_name_has_nothing_that_is_not_seen() {
        let unseen = (0..=0x000e_007f)
            .filter_map(char::from_u32)
            .filter(|c| is_unseen(*c));
        for c in unseen {
            let name = format!("ORDERS{c}X");
            assert!(check_name(&name).is_err(), "{name:?}");
            let error = StreamSpec::new(name).subject("orders.>").config("events");
            let shown = error.unwrap_err().to_string();
            assert!(
                shown.contains("only letters, digits") && (c == ' ' || !shown.contains(c)),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_name_has_1_to_255_letters() {
        for name in ["O", "orders-2_B", &"n".repeat(255)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "a.b", "a*", "größe", "a/b", &"n".repeat(256)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_pattern_of_a_stream_has_nothing_that_is_not_seen() {
        let with =
            |pattern: &'static str| StreamSpec::new("ORDERS").subject(pattern).config("events");
        assert!(with("orders.>").is_ok());
        for pattern in ["orders.a\u{a0}b", "orders.\u{202e}", "orders.\u{9b}.>"] {
            let error = with(pattern).unwrap_err().to_string();
            assert!(error.contains("not allowed"), "{error}");
        }
    }
}

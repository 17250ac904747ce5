//! What a stream is called, which subjects it stores, and what it keeps.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::subject::{InvalidSubject, Pattern};
use crate::text::Text;

/// The declaration of a stream: a name, subjects, and what it keeps.
///
/// Patterns are relative to the bus's prefix (`orders.>`), as subjects are;
/// [`absolute`](Self::absolute) adds one that is not.
///
/// ```
/// use std::time::Duration;
/// use event_sdk_core::stream::Stream;
///
/// let orders = Stream::new("ORDERS")
///     .subject("orders.>")
///     .max_age(Duration::from_secs(7 * 24 * 3600))
///     .max_messages(1_000_000);
/// assert!(orders.config("events").is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    name: Text,
    relative: Vec<Text>,
    absolute: Vec<Text>,
    limits: Limits,
    deduplication: Deduplication,
}

impl Stream {
    /// A stream without subjects, which keeps everything that fits JetStream's
    /// own limits (none) and refuses duplicates for two minutes.
    pub fn new(name: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            relative: Vec::new(),
            absolute: Vec::new(),
            limits: Limits::default(),
            deduplication: Deduplication::default(),
        }
    }

    /// Stores the subjects that match `pattern`, relative to the bus's prefix.
    pub fn subject(mut self, pattern: impl Into<Text>) -> Self {
        self.relative.push(pattern.into());
        self
    }

    /// Stores the subjects that match `pattern`, which takes no prefix.
    pub fn absolute(mut self, pattern: impl Into<Text>) -> Self {
        self.absolute.push(pattern.into());
        self
    }

    /// Keeps at most this many messages; zero is no limit, as on a server.
    pub fn max_messages(mut self, messages: u64) -> Self {
        self.limits.messages = NonZeroU64::new(messages);
        self
    }

    /// Keeps at most this many messages of one subject; zero is no limit, as on a server.
    pub fn max_messages_per_subject(mut self, messages: u64) -> Self {
        self.limits.messages_per_subject = NonZeroU64::new(messages);
        self
    }

    /// Keeps at most this many bytes of subjects, headers and bodies; zero is no limit, as on a server.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = NonZeroU64::new(bytes);
        self
    }

    /// Keeps a message for at most this long; zero means for ever.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.limits.age = (!age.is_zero()).then_some(age);
        self
    }

    /// Refuses a message whose headers and body are larger than this, in bytes; zero
    /// is no limit, as on a server.
    pub fn max_message_size(mut self, bytes: u64) -> Self {
        self.limits.message_size = NonZeroU64::new(bytes);
        self
    }

    /// What happens to a message for which there is no room.
    pub fn when_full(mut self, discard: Discard) -> Self {
        self.limits.discard = discard;
        self
    }

    /// For how long a message id is remembered; zero turns deduplication off.
    pub fn duplicate_window(mut self, window: Duration) -> Self {
        self.deduplication.window = window;
        self
    }

    /// How many message ids are remembered at the most, where the transport
    /// lets that be said (a NATS server bounds by time alone).
    pub fn duplicate_capacity(mut self, ids: usize) -> Self {
        self.deduplication.capacity = ids;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declaration with whole subjects, checked, for a transport.
    ///
    /// # Errors
    ///
    /// [`InvalidStream`] when the name, a pattern or a limit cannot be, or two
    /// of the patterns overlap.
    pub fn config(&self, prefix: &str) -> Result<StreamConfig, InvalidStream> {
        let invalid = |reason: Reason| InvalidStream {
            stream: self.name.to_string(),
            reason,
        };
        check_name(&self.name).map_err(|why| invalid(Reason::Name(why)))?;
        let relative = self
            .relative
            .iter()
            .map(|text| Pattern::parse(text.clone()).and_then(|pattern| pattern.under(prefix)));
        let absolute = self
            .absolute
            .iter()
            .map(|text| Pattern::parse(text.clone()));
        let subjects: Vec<Pattern> = relative
            .chain(absolute)
            .collect::<Result<_, _>>()
            .map_err(|why| invalid(Reason::Subject(why)))?;
        if subjects.is_empty() {
            return Err(invalid(Reason::NoSubjects));
        }
        for (index, one) in subjects.iter().enumerate() {
            if let Some(other) = subjects[..index].iter().find(|other| other.overlaps(one)) {
                return Err(invalid(Reason::Overlap(other.clone(), one.clone())));
            }
        }
        Ok(StreamConfig {
            name: self.name.clone(),
            subjects,
            limits: self.limits,
            deduplication: self.deduplication,
        })
    }
}

/// A stream as a transport knows it: whole subjects, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamConfig {
    /// The name.
    pub name: Text,
    /// The subjects that it stores; no two of them overlap.
    pub subjects: Vec<Pattern>,
    /// What it keeps.
    pub limits: Limits,
    /// How it recognizes a message that it has stored already.
    pub deduplication: Deduplication,
}

/// What a stream keeps; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most messages.
    pub messages: Option<NonZeroU64>,
    /// The most messages of one subject; beyond it the oldest of that subject goes.
    pub messages_per_subject: Option<NonZeroU64>,
    /// The most bytes of subjects, headers and bodies.
    pub bytes: Option<NonZeroU64>,
    /// The longest time.
    pub age: Option<Duration>,
    /// The largest message, headers and body, in bytes.
    pub message_size: Option<NonZeroU64>,
    /// What goes when there is no room.
    pub discard: Discard,
}

/// What happens when a stream is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discard {
    /// The oldest message goes.
    #[default]
    Old,
    /// The new message is refused.
    New,
}

/// How a stream recognizes a message that it has stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduplication {
    /// For how long a message id is remembered; zero: not at all.
    pub window: Duration,
    /// How many are remembered at the most, where the transport can bound it.
    pub capacity: usize,
}

impl Default for Deduplication {
    /// Two minutes, JetStream's default, and 100,000 ids.
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            capacity: 100_000,
        }
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

/// A declaration that cannot be a stream.
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
}

impl fmt::Display for InvalidStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {:?}: ", self.stream)?;
        match &self.reason {
            Reason::Name(why) => f.write_str(why),
            Reason::Subject(why) => why.fmt(f),
            Reason::NoSubjects => f.write_str("it stores no subject; add one with `.subject(…)`"),
            Reason::Overlap(one, other) => write!(
                f,
                "its patterns {one} and {other} overlap; a message would be stored twice"
            ),
        }
    }
}

impl std::error::Error for InvalidStream {}

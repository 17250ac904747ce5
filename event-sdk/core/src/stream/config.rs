//! `StreamConfig`: a stream with whole subjects, as a transport knows it, and its checks.

use std::fmt;
use std::time::Duration;

use super::settings::{Compression, Deduplication, Discard, Limits, Retention, Storage};
use crate::shown::Shown;
use crate::subject::{InvalidSubject, Pattern};
use crate::text::Text;

/// The configuration of a stream, with whole subjects.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamConfig {
    /// The name.
    pub name: Text,
    /// The subjects. The patterns must not overlap.
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
    /// Whether messages can be [scheduled](crate::transport::Scheduler) in it.
    pub schedules: bool,
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
            schedules: false,
        }
    }

    /// Validates the configuration, as far as possible without a server.
    ///
    /// # Errors
    ///
    /// [`InvalidStream`] if the name, the number of replicas or the deduplication is invalid,
    /// there is no subject, two subjects overlap, or a stream with schedules has settings that
    /// would lose them.
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
        // A server shortens the default window, and refuses any other.
        let is_set = deduplication.window != Deduplication::DEFAULT.window;
        if let Some(age) = self
            .limits
            .age
            .filter(|age| is_set && *age < deduplication.window)
        {
            return Err(self.invalid(Reason::RemembersLonger(deduplication.window, age)));
        }
        if self.schedules && self.limits.discard == Discard::New {
            return Err(self.invalid(Reason::SchedulesRefused));
        }
        if self.schedules && self.retention == Retention::Interest {
            return Err(self.invalid(Reason::SchedulesUnkept));
        }
        Ok(())
    }

    /// The bytes that the stream reserves: its maximum of bytes, for each replica. A stream without
    /// such a limit reserves nothing.
    #[must_use]
    pub fn reserved_bytes(&self) -> u64 {
        let bytes = self.limits.bytes.map_or(0, std::num::NonZeroU64::get);
        bytes.saturating_mul(u64::from(self.replicas))
    }

    pub(super) fn check_name(&self) -> Result<(), InvalidStream> {
        check_name(&self.name).map_err(|why| self.invalid(Reason::Name(why)))
    }

    /// Refuses a subject of the declaration.
    pub(super) fn invalid_subject(&self, why: InvalidSubject) -> InvalidStream {
        self.invalid(Reason::Subject(why))
    }

    fn invalid(&self, reason: Reason) -> InvalidStream {
        InvalidStream {
            stream: self.name.to_string(),
            reason,
        }
    }
}

/// Names become file names and subject tokens on a server (NATS documentation, "Naming", streams
/// and consumers).
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
    RemembersLonger(Duration, Duration),
    SchedulesRefused,
    SchedulesUnkept,
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
            Self::RemembersLonger(window, age) => write!(
                f,
                "its duplicate window {window:?} is longer than its maximum age {age:?}, which a NATS server refuses; make the window as long as the age at most"
            ),
            Self::SchedulesRefused => f.write_str(
                "it allows schedules, and would refuse their messages when it is full; let it discard the old",
            ),
            Self::SchedulesUnkept => f.write_str(
                "it allows schedules, and would drop them since no consumer waits for them (retention by interest); retain by limits, or as a work queue",
            ),
        }
    }
}

impl std::error::Error for InvalidStream {}

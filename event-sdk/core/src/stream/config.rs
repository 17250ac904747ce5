//! `StreamConfig`: a stream with whole subjects, as a transport knows it, and its checks.

use std::fmt;
use std::time::Duration;

use super::name::check_name;
use super::placement::PlacementConfig;
use super::settings::{Compression, Deduplication, Discard, Limits, Retention, Storage};
use super::upstream::UpstreamConfig;
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
    /// Whether messages can be [scheduled](crate::transport::Scheduler) in the stream.
    pub schedules: bool,
    /// Whether the deletion of single messages is denied. `None`: an existing stream stays as it
    /// is, and a new stream allows deletion. In the [state](Self::as_state) of a stream, `None`
    /// means that deletion is allowed.
    pub deny_delete: Option<bool>,
    /// Whether purging is denied; `None` as in [`deny_delete`](Self::deny_delete).
    pub deny_purge: Option<bool>,
    /// Whether a message can [roll up](crate::transport::RollUp) earlier messages. `None`: an
    /// existing stream stays as it is, and a new stream does not allow roll-ups. In the
    /// [state](Self::as_state) of a stream, `None` means that roll-ups are not allowed, or that
    /// [`schedules`](Self::schedules) is set.
    pub allow_rollup: Option<bool>,
    /// The stream that this one mirrors: it has the messages of that stream, with their sequences.
    pub mirror: Option<UpstreamConfig>,
    /// The streams whose messages are copied into this one.
    pub sources: Vec<UpstreamConfig>,
    /// The servers that keep the stream. `None`: an existing stream stays where it is, and a new
    /// stream may be on any servers.
    pub placement: Option<PlacementConfig>,
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
            deny_delete: None,
            deny_purge: None,
            allow_rollup: None,
            mirror: None,
            sources: Vec::new(),
            placement: None,
        }
    }

    /// The streams whose messages this stream has: the mirrored stream, or the sources.
    pub fn upstreams(&self) -> impl Iterator<Item = &UpstreamConfig> {
        self.mirror.iter().chain(&self.sources)
    }

    /// Whether the stream has messages of other streams, as a mirror or from sources.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.upstreams().next().is_some()
    }

    /// Whether the transport chooses the duplicate window of the stream, as for every stream that
    /// only has copies: the stream copies messages of other streams, has no subjects of its own,
    /// and declares no other window than the default.
    #[must_use]
    pub fn has_window_of_copies(&self) -> bool {
        let default = Deduplication::DEFAULT.window;
        self.is_copy() && self.subjects.is_empty() && self.deduplication.window == default
    }

    /// Validates the configuration, as far as possible without a server.
    ///
    /// # Errors
    ///
    /// [`InvalidStream`] if the name, the number of replicas, the deduplication, the placement, the
    /// mirror or a source is invalid, there is neither a subject nor another stream, two subjects
    /// overlap, a mirror has subjects or sources, a stream with schedules has settings that would
    /// lose them or keep them from being cancelled, or a stream that denies purging allows roll-ups.
    pub fn check(&self) -> Result<(), InvalidStream> {
        self.check_name()?;
        self.check_upstreams()?;
        if self.subjects.is_empty() && !self.is_copy() {
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
        let protects =
            self.denies_delete() || self.denies_purge() || self.allow_rollup == Some(false);
        if self.schedules && protects {
            return Err(self.invalid(Reason::SchedulesProtected));
        }
        if self.denies_purge() && self.allows_rollup() {
            return Err(self.invalid(Reason::RollUpProtected));
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

    fn check_upstreams(&self) -> Result<(), InvalidStream> {
        if self.mirror.is_some() && !(self.subjects.is_empty() && self.sources.is_empty()) {
            return Err(self.invalid(Reason::MirrorWithMore));
        }
        if self.is_copy() && self.schedules {
            return Err(self.invalid(Reason::CopyWithSchedules));
        }
        for upstream in self.upstreams() {
            let name = &upstream.stream;
            let refuse = |why| self.invalid(Reason::Upstream(name.to_string(), why));
            upstream.check().map_err(refuse)?;
            if upstream.api_prefix.is_none() && *name == self.name {
                return Err(refuse("a stream cannot copy its own messages".to_owned()));
            }
        }
        for (index, one) in self.sources.iter().enumerate() {
            if self.sources[..index].contains(one) {
                let why = "it is a source twice".to_owned();
                return Err(self.invalid(Reason::Upstream(one.stream.to_string(), why)));
            }
        }
        match self.placement.as_ref().map(PlacementConfig::check) {
            Some(Err(why)) => Err(self.invalid(Reason::Placement(why))),
            _ => Ok(()),
        }
    }

    pub(super) fn check_name(&self) -> Result<(), InvalidStream> {
        check_name(&self.name).map_err(|why| self.invalid(Reason::Name(why)))
    }

    /// Refuses a subject of the declaration.
    pub(super) fn invalid_subject(&self, why: InvalidSubject) -> InvalidStream {
        self.invalid(Reason::Subject(why))
    }

    /// Refuses another stream of the declaration.
    pub(super) fn invalid_upstream(&self, stream: &str, text: &str, why: &str) -> InvalidStream {
        let why = format!("`{}`: {why}", text.escape_debug());
        self.invalid(Reason::Upstream(stream.to_owned(), why))
    }

    fn invalid(&self, reason: Reason) -> InvalidStream {
        InvalidStream {
            stream: self.name.to_string(),
            reason,
        }
    }
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
    SchedulesProtected,
    RollUpProtected,
    MirrorWithMore,
    CopyWithSchedules,
    Upstream(String, String),
    Placement(String),
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
            Self::MirrorWithMore => f.write_str(
                "it is a mirror, and has subjects or sources too; a mirror has the messages of one other stream, so give it neither, or copy the other stream as a source",
            ),
            Self::CopyWithSchedules => f.write_str(
                "it has messages of other streams and allows schedules, which a NATS server refuses; keep schedules in another stream",
            ),
            Self::Upstream(stream, why) => {
                write!(f, "it cannot copy the stream \"{}\": {}", Shown(stream, 255), Shown(why, 500))
            }
            Self::SchedulesProtected => f.write_str(
                "it allows schedules, and denies deletion, purging or roll-ups, which schedules need on a NATS server; declare none of `deny_delete(true)`, `deny_purge(true)` and `allow_rollup(false)`",
            ),
            Self::RollUpProtected => f.write_str(
                "it allows roll-ups and denies purging, which a NATS server refuses; declare one of them",
            ),
            Self::Placement(why) => write!(f, "its placement is not valid: {why}"),
            Self::SchedulesUnkept => f.write_str(
                "it allows schedules, and would drop them since no consumer waits for them (retention by interest); retain by limits, or as a work queue",
            ),
        }
    }
}

impl std::error::Error for InvalidStream {}

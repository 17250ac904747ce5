//! `StreamSpec` and `StreamConfig`: declare a stream's name, subjects, limits, retention,
//! replicas and duplicate window.

mod name;

mod upstream;

mod placement;

mod settings;

mod config;

mod protection;

pub use config::{InvalidStream, StreamConfig};
pub use name::{check_name, check_name_of_others};
pub use placement::{Placement, PlacementConfig};
pub use settings::{Compression, Deduplication, Discard, Limits, Retention, Storage};
pub use upstream::{CopyFrom, SubjectTransform, Upstream, UpstreamConfig};

use std::num::NonZeroU64;
use std::time::Duration;

use crate::subject::Pattern;
use crate::text::Text;

/// The declaration of a stream: name, subjects, limits, retention and storage.
///
/// Patterns are relative to the bus's prefix (`orders.>`); [`absolute`](Self::absolute) adds a
/// pattern without the prefix.
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
/// A declaration can be a constant that a deployment step and a service share:
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
    schedules: bool,
    deny_delete: Option<bool>,
    deny_purge: Option<bool>,
    allow_rollup: Option<bool>,
    mirror: Option<Upstream>,
    sources: &'static [Upstream],
    placement: Option<Placement>,
    /// Those of an existing configuration, which are no constants.
    existing: Option<Box<Existing>>,
}

/// What a declaration has of an existing configuration.
#[derive(Debug, Clone, PartialEq)]
struct Existing {
    mirror: Option<UpstreamConfig>,
    sources: Vec<UpstreamConfig>,
    placement: Option<PlacementConfig>,
}

impl StreamSpec {
    /// A stream without subjects and with JetStream's defaults: no limits, one replica on disk, a
    /// duplicate window of two minutes.
    pub fn new(name: impl Into<Text>) -> Self {
        Self::named(name.into(), &[])
    }

    /// A stream for the subjects that match one of the patterns in `subjects`, relative to the
    /// bus's prefix. The stream has the defaults of [`new`](Self::new). The declaration can be a
    /// `const`. Its patterns are checked when it is [used](Self::config), like the patterns of
    /// [`subject`](Self::subject).
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
            schedules: false,
            deny_delete: None,
            deny_purge: None,
            allow_rollup: None,
            mirror: None,
            sources: &[],
            placement: None,
            existing: None,
        }
    }

    /// Makes a declaration from an existing configuration. Subjects under `prefix` become relative
    /// subjects, and come before the other subjects.
    #[must_use]
    pub fn of_config(config: &StreamConfig, prefix: &str) -> Self {
        let mut spec = Self {
            limits: config.limits,
            deduplication: config.deduplication,
            retention: config.retention,
            storage: config.storage,
            replicas: config.replicas,
            compression: config.compression,
            schedules: config.schedules,
            deny_delete: config.deny_delete,
            deny_purge: config.deny_purge,
            allow_rollup: config.allow_rollup,
            existing: Some(Box::new(Existing {
                mirror: config.mirror.clone(),
                sources: config.sources.clone(),
                placement: config.placement.clone(),
            })),
            ..Self::new(config.name.clone())
        };
        for subject in &config.subjects {
            let under = subject.as_str().strip_prefix(prefix);
            spec = match under.and_then(|rest| rest.strip_prefix('.')) {
                Some(relative) => spec.subject(relative.to_owned()),
                None => spec.absolute(subject.as_str().to_owned()),
            };
        }
        spec
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

    /// Limits the bytes of headers and body of one message; larger messages are refused. Zero: no
    /// limit.
    pub const fn max_message_size(mut self, bytes: u64) -> Self {
        self.limits.message_size = NonZeroU64::new(bytes);
        self
    }

    /// Sets whether a full stream drops its oldest messages or refuses new messages. Default: it
    /// drops its oldest messages.
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

    /// Limits the number of remembered message ids, if the transport supports it. (A NATS server
    /// limits by time only.) Default: 100,000.
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

    /// Makes the stream a mirror: it has the messages of another stream, with the same sequences. A
    /// mirror has no subjects of its own. So nothing can be published to it, and a subscription has
    /// to name it (`bus.subscribe::<E>().stream("ORDERS_EU")`).
    ///
    /// - An existing mirror cannot become the mirror of another stream. From NATS server 2.12 on,
    ///   it can become a stream with subjects of its own; it then keeps its messages
    ///   (`Capability::PromoteMirror`).
    /// - A mirror may lag behind the other stream. If that stream does not exist, the mirror waits
    ///   for it without an error.
    /// - Nothing is published to a mirror. So if you leave the duplicate window at its default, the
    ///   mirror has no such window.
    pub const fn mirror(mut self, of: Upstream) -> Self {
        self.mirror = Some(of);
        self
    }

    /// Copies the messages of other streams into this stream. This stream gives them new sequences,
    /// and may have subjects of its own too.
    ///
    /// - Messages of different sources are stored in the order in which they arrive.
    /// - If two streams copy from each other, filters have to make sure that no message is copied
    ///   in a circle. A server refuses such a loop within its account, but does not detect a loop
    ///   across domains.
    /// - If a stream has sources and no subjects, and you leave the duplicate window at its
    ///   default, the stream has no such window (on NATS servers before 2.14, it has a window of
    ///   100 ms). Within a duplicate window, only the first of two messages with the same id is
    ///   copied. On NATS servers before 2.12, the second message also stops all copying from its
    ///   source.
    pub const fn sources(mut self, of: &'static [Upstream]) -> Self {
        self.sources = of;
        self
    }

    /// Sets the servers that keep the stream. Default: an existing stream stays where it is, and a
    /// new stream may be on any servers.
    ///
    /// A server refuses a placement that no server fulfils. An existing stream is moved to the
    /// servers of the placement.
    pub const fn placement(mut self, placement: Placement) -> Self {
        self.placement = Some(placement);
        self
    }

    /// Allows messages to be scheduled in this stream ([`Scheduler`](crate::transport::Scheduler)),
    /// if the transport supports it. NATS needs server 2.12. Default: not allowed.
    ///
    /// - Once applied, this cannot be taken back: the stream always allows schedules.
    /// - Such a stream cannot have [`Discard::New`], because a server refuses this, nor
    ///   [`Retention::Interest`], because the stream would lose schedules.
    /// - On a NATS server, a waiting schedule is a message of the stream. Its subject begins with
    ///   `schedules.<stream>.`; the stream stores these subjects in addition to its own. The
    ///   schedule counts towards [`max_messages`](Self::max_messages) and
    ///   [`max_bytes`](Self::max_bytes), and a full stream drops it **without notice** if it is the
    ///   oldest message. So limit such a stream only by [`max_age`](Self::max_age), which does not
    ///   apply to schedules. Or make the other limits so large that the stream does not reach them
    ///   within the longest delay.
    /// - On a NATS server, consumers of such a stream report no [gaps](crate::transport::Gap),
    ///   because a schedule that fires leaves the same gap in the sequences as a message that a
    ///   limit drops. So use another stream for events whose loss must be reported.
    pub const fn schedules(mut self) -> Self {
        self.schedules = true;
        self
    }

    /// The name and the relative subjects of a declaration that is a [constant](Self::constant),
    /// for checks at compile time; `None` if the name is not a constant. Subjects that were added
    /// by [`subject`](Self::subject) or [`absolute`](Self::absolute) are not included.
    #[must_use]
    pub const fn as_constant(&self) -> Option<(&'static str, &'static [&'static str])> {
        match self.name.as_static() {
            Some(name) => Some((name, self.constant)),
            None => None,
        }
    }

    /// The [mirrored](Self::mirror) stream, for checks at compile time.
    #[must_use]
    pub const fn constant_mirror(&self) -> Option<Upstream> {
        self.mirror
    }

    /// The [sources](Self::sources), for checks at compile time.
    #[must_use]
    pub const fn constant_sources(&self) -> &'static [Upstream] {
        self.sources
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
            schedules: self.schedules,
            deny_delete: self.deny_delete,
            deny_purge: self.deny_purge,
            allow_rollup: self.allow_rollup,
            ..StreamConfig::new(self.name.clone(), Vec::new())
        };
        config.check_name()?;
        config.subjects = subjects.map_err(|why| config.invalid_subject(why))?;
        for upstream in self.mirror.iter().chain(self.sources) {
            let checked = upstream.check();
            checked.map_err(|(text, why)| config.invalid_upstream(upstream.stream(), text, why))?;
        }
        let whole = |upstream: &Upstream| upstream.config(prefix);
        let mirror = self.mirror.as_ref().map(whole).transpose();
        config.mirror = mirror.map_err(|why| config.invalid_subject(why))?;
        let sources = self.sources.iter().map(whole).collect::<Result<_, _>>();
        config.sources = sources.map_err(|why| config.invalid_subject(why))?;
        config.placement = self.placement.map(|placement| placement.config());
        if let Some(existing) = self.existing.as_deref().cloned() {
            config.mirror = config.mirror.or(existing.mirror);
            config.placement = config.placement.or(existing.placement);
            if config.sources.is_empty() {
                config.sources = existing.sources;
            }
        }
        config.check()?;
        Ok(config)
    }
}

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
    fn a_stream_that_would_lose_schedules_is_refused() {
        let stream = || StreamSpec::new("ORDERS").subject("orders.>").schedules();
        assert!(stream().config("events").unwrap().schedules);
        assert!(
            stream()
                .retention(Retention::WorkQueue)
                .config("events")
                .is_ok()
        );
        for (wrong, why) in [
            (stream().when_full(Discard::New), "refuse"),
            (stream().retention(Retention::Interest), "interest"),
        ] {
            let error = wrong.config("events").unwrap_err().to_string();
            assert!(
                error.contains("schedules") && error.contains(why),
                "{error}"
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

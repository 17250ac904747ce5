//! `Upstream`: a stream whose messages another stream copies, as its mirror or one of its sources.

use std::fmt;

use jiff::Timestamp;

use super::name::{check_name, check_name_of_others};
use crate::subject::grammar::{check_pattern, check_prefix};
use crate::subject::{InvalidSubject, Pattern};
use crate::text::Text;

/// A stream whose messages another stream copies: its [mirror](super::StreamSpec::mirror), or one
/// of its [sources](super::StreamSpec::sources). A value can be a constant.
///
/// ```
/// use event_sdk_core::stream::{StreamSpec, Upstream};
///
/// // The orders of the domain `eu`, to be read in another region.
/// const ORDERS_EU: StreamSpec =
///     StreamSpec::constant("ORDERS_EU", &[]).mirror(Upstream::of("ORDERS").domain("eu"));
/// // The orders of two regions in one stream. Those of the second are under another prefix.
/// const ALL: StreamSpec = StreamSpec::constant("ALL", &[]).sources(const {
///     &[
///         Upstream::of("ORDERS"),
///         Upstream::of("ORDERS").domain("eu").filter("orders.>").moved_to("eu.events"),
///     ]
/// });
/// # assert!(ORDERS_EU.config("events").is_ok());
/// # assert_eq!(ALL.config("events").unwrap().sources[1].transforms[0].to, "eu.events.orders.>");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    stream: &'static str,
    reach: Reach,
    deliver_prefix: Option<&'static str>,
    start: CopyFrom,
    filter: Option<&'static str>,
    prefix: Option<&'static str>,
    moved_to: Option<&'static str>,
}

/// How the JetStream API of a stream is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Here,
    Domain(&'static str),
    Api(&'static str),
}

/// The first message that is copied. This matters only when the copy is created or starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CopyFrom {
    /// The oldest stored message.
    #[default]
    Oldest,
    /// The message with this stream sequence, or the next one if it is missing. The sequence is at
    /// least 1.
    Sequence(u64),
    /// The first message that was stored at this time or later.
    Time(Timestamp),
}

impl Upstream {
    /// All messages of the stream of this name, in the same account and JetStream domain.
    #[must_use]
    pub const fn of(stream: &'static str) -> Self {
        Self {
            stream,
            reach: Reach::Here,
            deliver_prefix: None,
            start: CopyFrom::Oldest,
            filter: None,
            prefix: None,
            moved_to: None,
        }
    }

    /// Sets the JetStream domain of the stream, for servers that are connected by a leaf node. The
    /// API of the domain has the prefix `$JS.<domain>.API`.
    #[must_use]
    pub const fn domain(mut self, domain: &'static str) -> Self {
        self.reach = Reach::Domain(domain);
        self
    }

    /// Sets the prefix of the JetStream API of the stream. It is for a stream of another account,
    /// whose API this account imports under this prefix.
    #[must_use]
    pub const fn api_prefix(mut self, prefix: &'static str) -> Self {
        self.reach = Reach::Api(prefix);
        self
    }

    /// Sets the prefix of the subjects to which messages are delivered, for a stream of another
    /// account. The import and the export of the two accounts have to name this prefix. Default:
    /// the server's.
    #[must_use]
    pub const fn deliver_prefix(mut self, prefix: &'static str) -> Self {
        self.deliver_prefix = Some(prefix);
        self
    }

    /// Sets the first message that is copied. Default: the oldest stored one.
    #[must_use]
    pub const fn start(mut self, start: CopyFrom) -> Self {
        self.start = start;
        self
    }

    /// Copies only messages of the subjects that `pattern` matches, relative to the
    /// [prefix](Self::prefix). Default: all.
    #[must_use]
    pub const fn filter(mut self, pattern: &'static str) -> Self {
        self.filter = Some(pattern);
        self
    }

    /// Sets the prefix of the events in the other stream. Default: the prefix of the bus.
    #[must_use]
    pub const fn prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self
    }

    /// Stores the events under another prefix, so that the events of two regions do not collide:
    /// with `moved_to("eu.events")`, `events.orders.order.placed` is stored as
    /// `eu.events.orders.order.placed`. A bus with this prefix reads them.
    ///
    /// With this setting, only events under the original [prefix](Self::prefix) of the upstream are
    /// copied.
    #[must_use]
    pub const fn moved_to(mut self, prefix: &'static str) -> Self {
        self.moved_to = Some(prefix);
        self
    }

    /// The name of the stream.
    #[must_use]
    pub const fn stream(&self) -> &'static str {
        self.stream
    }

    /// Whether the stream is in the same account and domain.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        matches!(self.reach, Reach::Here)
    }

    /// The pattern of the subjects that are copied, relative to the [prefix](Self::prefix); `None`:
    /// all.
    #[must_use]
    pub const fn relative_filter(&self) -> Option<&'static str> {
        self.filter
    }

    /// The prefix of the events in the other stream; `None` for the prefix of the bus.
    #[must_use]
    pub const fn constant_prefix(&self) -> Option<&'static str> {
        self.prefix
    }

    /// The prefix under which the events are stored; `None`: they keep their prefix.
    #[must_use]
    pub const fn constant_moved_to(&self) -> Option<&'static str> {
        self.moved_to
    }

    /// Checks what can be checked without a prefix, also while compiling.
    ///
    /// # Errors
    ///
    /// The wrong text, and the reason as the end of a sentence.
    pub const fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if let Err(why) = check_name_of_others(self.stream) {
            return Err((self.stream, why));
        }
        match self.reach {
            Reach::Domain(domain) if check_name(domain).is_err() => {
                return Err((
                    domain,
                    "a JetStream domain has only letters, digits, `_` and `-`",
                ));
            }
            Reach::Api(prefix) if !is_literal(prefix) => return Err((prefix, PREFIX)),
            _ => {}
        }
        if let Some(prefix) = self.deliver_prefix
            && !is_literal(prefix)
        {
            return Err((prefix, PREFIX));
        }
        let prefixes = [self.prefix, self.moved_to];
        let mut at = 0;
        while at < prefixes.len() {
            if let Some(prefix) = prefixes[at]
                && check_prefix(prefix).is_err()
            {
                return Err((prefix, PREFIX));
            }
            at += 1;
        }
        match self.filter {
            Some(filter) if check_pattern(filter).is_err() => Err((
                filter,
                "a filter is a pattern: tokens joined by dots, where `*` stands for one token and a last `>` for all that follow",
            )),
            _ => Ok(()),
        }
    }

    /// The configuration for a bus with this prefix.
    ///
    /// # Errors
    ///
    /// If the filter and the prefix are no pattern together.
    pub(super) fn config(&self, prefix: &str) -> Result<UpstreamConfig, InvalidSubject> {
        let prefix = self.prefix.unwrap_or(prefix);
        let mut config = UpstreamConfig::new(Text::from_static(self.stream));
        config.api_prefix = match self.reach {
            Reach::Here => None,
            Reach::Domain(domain) => Some(UpstreamConfig::api_of_domain(domain)),
            Reach::Api(prefix) => Some(Text::from_static(prefix)),
        };
        config.deliver_prefix = self.deliver_prefix.map(Text::from_static);
        config.start = self.start;
        let filter = |pattern| Pattern::parse(Text::from_static(pattern))?.under(prefix);
        match self.moved_to {
            None => config.filter = self.filter.map(filter).transpose()?,
            Some(new) => {
                let relative = self.filter.unwrap_or(">");
                config.transforms.push(SubjectTransform {
                    from: filter(relative)?,
                    to: moved(relative, new).into(),
                });
            }
        }
        Ok(config)
    }
}

/// Whether it is a subject without wildcards, of visible ASCII. It may be one that a server keeps for
/// itself, as prefixes of the JetStream API are.
const fn is_literal(subject: &str) -> bool {
    let bytes = subject.as_bytes();
    let mut at = 0;
    let mut is_empty = true;
    while at < bytes.len() {
        match bytes[at] {
            b'.' if is_empty => return false,
            b'*' | b'>' => return false,
            byte if !byte.is_ascii_graphic() => return false,
            byte => is_empty = byte == b'.',
        }
        at += 1;
    }
    !is_empty
}

const PREFIX: &str = "a prefix is a subject without wildcards";

/// The subjects that a pattern matches, under another prefix: a server numbers the wildcards.
fn moved(relative: &str, prefix: &str) -> String {
    let mut wildcards = 0;
    let tokens = relative.split('.').map(|token| {
        if token == "*" {
            wildcards += 1;
            format!("{{{{wildcard({wildcards})}}}}")
        } else {
            token.to_owned()
        }
    });
    let tokens: Vec<_> = tokens.collect();
    format!("{prefix}.{}", tokens.join("."))
}

/// A stream whose messages another stream copies, with whole subjects, as a transport knows it.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamConfig {
    /// The name of the stream.
    pub stream: Text,
    /// The prefix of its JetStream API; `None`: the stream is in the same account and domain.
    pub api_prefix: Option<Text>,
    /// The prefix of the subjects to which messages are delivered; `None`: the server's.
    pub deliver_prefix: Option<Text>,
    /// The first message that is copied.
    pub start: CopyFrom,
    /// The subjects that are copied; `None`: all subjects, or the subjects of `transforms`.
    pub filter: Option<Pattern>,
    /// Changes of subjects in the copy. If there are any, only messages that match the `from` of
    /// one of them are copied. They cannot be combined with a filter.
    pub transforms: Vec<SubjectTransform>,
}

/// A change of subjects: messages under `from` in a stream are under `to` in its copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectTransform {
    /// The subjects in the original stream.
    pub from: Pattern,
    /// The subjects in the copy, in the server's language: `{{wildcard(1)}}` is the token that the first
    /// `*` matches.
    pub to: Text,
}

impl UpstreamConfig {
    /// All messages of the stream of this name, in the same account and domain.
    #[must_use]
    pub fn new(stream: impl Into<Text>) -> Self {
        Self {
            stream: stream.into(),
            api_prefix: None,
            deliver_prefix: None,
            start: CopyFrom::Oldest,
            filter: None,
            transforms: Vec::new(),
        }
    }

    /// The prefix of the JetStream API of a domain.
    #[must_use]
    pub fn api_of_domain(domain: &str) -> Text {
        format!("$JS.{domain}.API").into()
    }

    /// The patterns of the subjects that are copied, as they are in the other stream; `None` for
    /// all subjects.
    #[must_use]
    pub fn filters(&self) -> Option<Vec<&Pattern>> {
        match (&self.filter, &self.transforms[..]) {
            (None, []) => None,
            (filter, transforms) => {
                let from = transforms.iter().map(|one| &one.from);
                Some(filter.iter().chain(from).collect())
            }
        }
    }

    /// Checks it, as far as possible without a server.
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let about = |text: &str, why: &str| format!("`{}`: {why}", text.escape_debug());
        check_name_of_others(&self.stream).map_err(|why| about(&self.stream, why))?;
        let prefixes = self.api_prefix.iter().chain(&self.deliver_prefix);
        for prefix in prefixes {
            if !is_literal(prefix) {
                return Err(about(prefix, PREFIX));
            }
        }
        if let Some(api) = self.api_prefix.as_ref().filter(|api| *api == "$JS.API") {
            return Err(about(
                api,
                "that is the API of this account and domain; leave it out",
            ));
        }
        if self.start == CopyFrom::Sequence(0) {
            return Err("sequences begin at 1".to_owned());
        }
        if self.filter.is_some() && !self.transforms.is_empty() {
            return Err("it has a filter and transforms; the transforms select subjects too, so leave the filter out".to_owned());
        }
        for (index, one) in self.transforms.iter().enumerate() {
            if one.to.is_empty() {
                return Err(format!("the subjects {} are stored as none", one.from));
            }
            let mut before = self.transforms[..index].iter();
            if let Some(other) = before.find(|other| other.from.overlaps(&one.from)) {
                return Err(format!("{} and {} overlap", other.from, one.from));
            }
        }
        Ok(())
    }
}

impl fmt::Display for UpstreamConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream)?;
        if let Some(api) = &self.api_prefix {
            write!(f, " at {api}")?;
        }
        if let Some(prefix) = &self.deliver_prefix {
            write!(f, " delivered to {prefix}")?;
        }
        match self.start {
            CopyFrom::Oldest => {}
            start => write!(f, " from {start}")?,
        }
        if let Some(filter) = &self.filter {
            write!(f, " filter {filter}")?;
        }
        for transform in &self.transforms {
            write!(f, " {transform}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SubjectTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.from, self.to)
    }
}

impl fmt::Display for CopyFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oldest => f.write_str("the oldest message"),
            Self::Sequence(sequence) => write!(f, "sequence {sequence}"),
            Self::Time(time) => write!(f, "{time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_subjects_keep_what_wildcards_match() {
        let moved = |upstream: Upstream| {
            let config = upstream.config("events").unwrap();
            let [SubjectTransform { from, to }] = &config.transforms[..] else {
                panic!("{config}");
            };
            assert!(config.filter.is_none() && config.check().is_ok());
            format!("{from} as {to}")
        };
        let eu = Upstream::of("ORDERS").moved_to("eu.events");
        assert_eq!(moved(eu), "events.> as eu.events.>");
        assert_eq!(moved(eu.prefix("old")), "old.> as eu.events.>");
        assert_eq!(
            moved(eu.filter("*.order.*.>")),
            "events.*.order.*.> as eu.events.{{wildcard(1)}}.order.{{wildcard(2)}}.>"
        );
    }

    #[test]
    fn what_no_server_has_is_refused() {
        let good = Upstream::of("ORDERS").domain("eu").filter("orders.>");
        assert_eq!(good.check(), Ok(()));
        for (wrong, text) in [
            (Upstream::of("or.ders"), "or.ders"),
            (Upstream::of("ORDERS").domain("e.u"), "e.u"),
            (Upstream::of("ORDERS").api_prefix("js.>"), "js.>"),
            (Upstream::of("ORDERS").deliver_prefix("a..b"), "a..b"),
            (Upstream::of("ORDERS").filter("a.>.b"), "a.>.b"),
            (Upstream::of("ORDERS").prefix(""), ""),
            (Upstream::of("ORDERS").moved_to("a b"), "a b"),
        ] {
            assert_eq!(wrong.check().unwrap_err().0, text);
        }
        let config = |change: fn(&mut UpstreamConfig)| {
            let mut config = Upstream::of("ORDERS").config("events").unwrap();
            change(&mut config);
            config.check().unwrap_err()
        };
        let own = config(|it| it.api_prefix = Some("$JS.API".into()));
        assert!(own.contains("leave it out"), "{own}");
        let zero = config(|it| it.start = CopyFrom::Sequence(0));
        assert!(zero.contains("begin at 1"), "{zero}");
    }
}

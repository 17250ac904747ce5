//! Routes: maps the events of a set to subjects under the bus's prefix, and to the streams that
//! store them.

use std::fmt;

use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::InvalidSubject;
use event_sdk_core::subject::grammar::{self, KeyError};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Capability, Error, ErrorKind, Operation, TransportExt as _};
use event_sdk_core::{EventSet, Pattern};

use super::EventBus;

/// The requested subjects of a set, and the requested streams.
///
/// Used by subscriptions and history.
#[derive(Debug, Default, Clone)]
pub(crate) struct Routes {
    narrow: Vec<Pattern>,
    /// The key, escaped into a token, or the reason why that is not possible.
    key: Option<Result<String, KeyError>>,
    stream: Option<Text>,
}

impl Routes {
    /// Restricts the subjects to those that this relative pattern also matches.
    pub(crate) fn narrow(&mut self, pattern: Pattern) {
        self.narrow.push(pattern);
    }

    /// Restricts the events to those with this key, which must be in their subjects.
    pub(crate) fn key(&mut self, key: &dyn fmt::Display) {
        self.key = Some(grammar::escape_key(key));
    }

    /// Restricts the streams to this one.
    pub(crate) fn stream(&mut self, stream: Text) {
        self.stream = Some(stream);
    }

    /// Takes settings that are not set here from a declaration: the stream, and the narrower
    /// subjects.
    pub(crate) fn inherit(&mut self, declared: &Self) {
        if self.stream.is_none() {
            self.stream.clone_from(&declared.stream);
        }
        if self.narrow.is_empty() && self.key.is_none() {
            self.narrow.clone_from(&declared.narrow);
            self.key.clone_from(&declared.key);
        }
    }

    /// Returns the streams, and the requested whole subjects of each.
    ///
    /// # Errors
    ///
    /// If no stream stores a requested subject.
    pub(crate) async fn resolve_filters(
        &self,
        filters: Vec<Pattern>,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<(Text, Vec<Pattern>)>, Error> {
        if !bus.transport().capabilities().has(Capability::Store) {
            return match &self.stream {
                // Without streams, there is one route without a stream name.
                None => Ok(vec![(Text::from_static(""), filters)]),
                Some(_) => Err(Error::unsupported(
                    Capability::Store,
                    operation,
                    "leave out the stream, or use a transport with streams",
                )),
            };
        }
        let mut routes: Vec<(Text, Vec<Pattern>)> = Vec::new();
        for filter in filters {
            let mut found = false;
            for stream in self.streams_of(bus, &filter).await? {
                let wanted = stream
                    .subjects
                    .iter()
                    .filter_map(|subject| subject.meet(&filter));
                found = true;
                match routes.iter_mut().find(|(name, _)| *name == stream.name) {
                    Some((_, filters)) => filters.extend(wanted),
                    None => routes.push((stream.name.clone(), wanted.collect())),
                }
            }
            if !found {
                let what = self.not_stored(bus).await;
                return Err(Error::new(ErrorKind::NoStream, operation, what).at_subject(filter));
            }
        }
        Ok(routes)
    }

    /// The reason why no stream was found, with the bus's prefix and the streams' subjects.
    async fn not_stored(&self, bus: &EventBus) -> String {
        let prefix = bus.prefix();
        let declared = bus.inner().streams.iter();
        let Some(name) = &self.stream else {
            let known: Vec<_> = declared.map(stores).collect();
            let known = if known.is_empty() {
                String::new()
            } else {
                format!(" (declared: {})", known.join("; "))
            };
            return format!(
                "no stream stores this subject{known}; the prefix of this bus is {prefix}: compare it with the subjects of the stream, declare one with `StreamSpec::new(…).subject(…)`, or create it on the server"
            );
        };
        match bus.inner().transport.stream_state(name).await {
            Ok(state) => format!(
                "the stream {}, and not this subject; the prefix of this bus is {prefix}",
                stores(&state.config)
            ),
            Err(_) => format!("the stream {name} does not store this subject"),
        }
    }

    /// The streams that store subjects which `filter` matches: the declared ones, as they are
    /// declared, and if none of these stores all of it, also others of the transport.
    async fn streams_of(
        &self,
        bus: &EventBus,
        filter: &Pattern,
    ) -> Result<Vec<StreamConfig>, Error> {
        let stores = |config: &StreamConfig| {
            config
                .subjects
                .iter()
                .any(|subject| subject.overlaps(filter))
                && self.stream.as_ref().is_none_or(|name| *name == config.name)
        };
        let inner = bus.inner();
        let covers = |config: &&StreamConfig| {
            let mut subjects = config.subjects.iter();
            subjects.any(|subject| subject.covers(filter)) && stores(config)
        };
        // If a declared stream stores everything that `filter` matches, no other stream does.
        if let Some(declared) = inner.streams.iter().find(covers) {
            return Ok(vec![declared.clone()]);
        }
        let declared = inner.streams.iter().filter(|config| stores(config));
        let mut streams: Vec<_> = declared.cloned().collect();
        // The user may not be allowed to look at a stream that was not asked for, or to list streams.
        let names = match &self.stream {
            Some(name) => vec![name.clone()],
            None => inner.transport.streams_for(filter).await?,
        };
        for name in names {
            if inner.streams.iter().any(|config| config.name == name) {
                continue;
            }
            match inner.transport.stream_state(&name).await {
                Ok(state) if stores(&state.config) => streams.push(state.config),
                Ok(_) => {}
                // The error of the caller names the subject too.
                Err(error)
                    if self.stream.is_some() && *error.kind() == ErrorKind::StreamNotFound => {}
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(name)) = (streams.is_empty(), &self.stream) {
            streams.extend(Self::copy(bus, name, filter).await?);
        }
        Ok(streams)
    }

    /// The named stream, if it has the messages of other streams: a mirror, or one with sources. A
    /// declared one need not exist.
    async fn copy(
        bus: &EventBus,
        name: &str,
        filter: &Pattern,
    ) -> Result<Option<StreamConfig>, Error> {
        let mut declared = bus.inner().streams.iter();
        let mut config = match declared.find(|config| config.name == *name) {
            Some(declared) => declared.clone(),
            None => match bus.inner().transport.stream_state(name).await {
                Ok(state) => state.config,
                Err(error) if *error.kind() == ErrorKind::StreamNotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        if !config.is_copy() {
            return Ok(None);
        }
        config.subjects = vec![filter.clone()];
        Ok(Some(config))
    }

    /// Returns the requested whole subjects, which do not overlap.
    pub(crate) fn filters<S: EventSet>(
        &self,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        let base = self.base::<S>(bus, operation)?;
        let filters = self.narrowed(base, bus.prefix(), operation)?;
        if filters.is_empty() {
            let known: Vec<_> = S::MEMBERS.iter().map(|spec| spec.filter()).collect();
            let known = format!("the set, which has {}", known.join(", "));
            return Err(self.matches_nothing(&known, operation));
        }
        Ok(filters)
    }

    /// Returns the requested whole subjects of `patterns`, for subscriptions without a type.
    pub(super) fn filters_of_subjects(
        &self,
        patterns: &[Pattern],
        absolute: bool,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        if self.key.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                operation,
                "a key cannot be looked for without a type, which says where in the subject it stands; write the escaped key into the pattern",
            ));
        }
        if patterns.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                operation,
                "there is no pattern, so nothing could match; name at least one, `>` for all subjects",
            ));
        }
        let prefix = if absolute { "" } else { bus.prefix() };
        let base = patterns.iter().map(|pattern| whole(pattern, prefix));
        let base = base.collect::<Result<_, _>>();
        let filters = self.narrowed(
            base.map_err(|why| invalid(operation, why))?,
            prefix,
            operation,
        )?;
        if filters.is_empty() {
            let known: Vec<_> = patterns.iter().map(Pattern::as_str).collect();
            return Err(self.matches_nothing(&known.join(", "), operation));
        }
        Ok(filters)
    }

    /// Restricts whole subjects to the narrower patterns.
    fn narrowed(
        &self,
        base: Vec<Pattern>,
        prefix: &str,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        let mut filters = base;
        for narrow in &self.narrow {
            let narrow = whole(narrow, prefix).map_err(|why| invalid(operation, why))?;
            filters = filters
                .iter()
                .filter_map(|base| base.meet(&narrow))
                .collect();
        }
        Ok(filters)
    }

    fn matches_nothing(&self, of: &str, operation: Operation) -> Error {
        let wanted: Vec<_> = self.narrow.iter().map(Pattern::as_str).collect();
        Error::new(
            ErrorKind::InvalidSubject,
            operation,
            format!(
                "{} can match nothing of {of}; `*` stands for exactly one token, `>` for all that follow",
                wanted.join(" and "),
            ),
        )
    }

    /// Returns the whole subjects of the set, before they are narrowed.
    fn base<S: EventSet>(
        &self,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        let relative = |text: String| {
            Pattern::parse(text)
                .and_then(|pattern| pattern.under(bus.prefix()))
                .map_err(|why| invalid(operation, why))
        };
        if let (Some(pattern), true) = (S::PATTERN, S::TAKES_OTHER) {
            if self.key.is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidOption,
                    operation,
                    "a key cannot be looked for in a set with an `other` variant; the position of the key in an unknown subject is not known",
                ));
            }
            return Ok(vec![relative(pattern.to_owned())?]);
        }
        let mut filters = Vec::with_capacity(S::MEMBERS.len());
        for spec in S::MEMBERS {
            let text = match &self.key {
                None => spec.filter().to_owned(),
                Some(key) if spec.key_use() == event_sdk_core::event::KeyUse::InSubject => {
                    let token = key.as_ref().map_err(|why| invalid(operation, why))?;
                    format!("{}.{token}", spec.subject())
                }
                Some(_) => {
                    return Err(Error::new(
                        ErrorKind::InvalidOption,
                        operation,
                        format!(
                            "a key cannot be looked for: {} has no key in its subject; mark the field `#[event(key, in_subject)]`",
                            spec.name()
                        ),
                    ));
                }
            };
            if !spec.is_absolute() {
                filters.push(relative(text)?);
                continue;
            }
            let pattern = Pattern::parse(text).map_err(|why| invalid(operation, why))?;
            let ours = relative(">".to_owned())?;
            if ours.overlaps(&pattern) {
                return Err(Error::new(
                    ErrorKind::InvalidSubject,
                    operation,
                    format!(
                        "the absolute subject of {} lies under the bus's own prefix {}; write it as `subject`, without the prefix",
                        spec.name(),
                        bus.prefix()
                    ),
                )
                .at_subject(pattern));
            }
            filters.push(pattern);
        }
        Ok(filters)
    }
}

/// The pattern under a prefix; unchanged if the prefix is empty.
fn whole(pattern: &Pattern, prefix: &str) -> Result<Pattern, InvalidSubject> {
    if prefix.is_empty() {
        Ok(pattern.clone())
    } else {
        pattern.under(prefix)
    }
}

/// The subjects of a stream, for an error text.
fn stores(config: &StreamConfig) -> String {
    let subjects: Vec<_> = config.subjects.iter().map(Pattern::as_str).collect();
    format!("{} stores {}", config.name, subjects.join(", "))
}

fn invalid(operation: Operation, why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidSubject, operation, why.to_string())
}

/// Refuses a start sequence if there are several streams, because each has its own sequences.
pub(crate) fn one_stream(
    sequence: u64,
    routes: &[(Text, Vec<Pattern>)],
    operation: Operation,
) -> Result<(), Error> {
    if routes.len() < 2 {
        return Ok(());
    }
    let names: Vec<_> = routes.iter().map(|(name, _)| name.as_str()).collect();
    Err(Error::new(
        ErrorKind::InvalidOption,
        operation,
        format!(
            "sequence {sequence} is one of a single stream, and these events are in {}; name one with `.stream(…)`",
            names.join(", ")
        ),
    ))
}

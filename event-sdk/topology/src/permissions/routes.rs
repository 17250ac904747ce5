//! `Routes`: the streams that store events and that durables read, without asking a server.

use event_sdk::Pattern;
use event_sdk::stream::StreamConfig;
use event_sdk::subject::InvalidSubject;
use event_sdk::transport::{Error, ErrorKind, Operation};

use super::grants::{Grants, Names};
use super::lines::{CREATES_ONE, CREATES_SEVERAL};
use super::service::Events;
use super::{invalid, listed};
use crate::dead_letters::DeadLetterSpec;
use crate::durable::DurableSpec;
use crate::topology::Topology;

/// A topology under a prefix.
pub(super) struct Routes<'a> {
    pub(super) topology: &'a Topology,
    prefix: &'a str,
    /// All streams, with those of dead letters.
    pub(super) streams: Vec<StreamConfig>,
}

/// A durable of a consumer in one stream.
pub(super) struct Durable<'a> {
    pub(super) stream: &'a str,
    pub(super) name: String,
    /// Its filter, if there is one alone.
    pub(super) filter: Option<Pattern>,
}

impl<'a> Routes<'a> {
    /// # Errors
    ///
    /// If the topology or the prefix is not valid.
    pub(super) fn new(topology: &'a Topology, prefix: &'a str) -> Result<Self, Error> {
        Ok(Self {
            topology,
            prefix,
            streams: topology.configs(prefix)?,
        })
    }

    /// The whole subjects of events.
    pub(super) fn subject(&self, events: &Events) -> Result<Pattern, Error> {
        let pattern = Pattern::parse(events.filter).map_err(malformed)?;
        if events.is_absolute {
            return Ok(pattern);
        }
        pattern.under(self.prefix).map_err(malformed)
    }

    /// The streams that store some of these subjects, and which of them: one stream if it stores all.
    ///
    /// # Errors
    ///
    /// If none does.
    pub(super) fn streams_of(
        &self,
        filter: &Pattern,
        only: Option<&str>,
    ) -> Result<Vec<(&str, Vec<Pattern>)>, Error> {
        let mut found = Vec::new();
        for config in &self.streams {
            if only.is_some_and(|only| config.name != only) {
                continue;
            }
            if only.is_some() && config.is_copy() {
                return Ok(vec![(&*config.name, vec![filter.clone()])]);
            }
            let met = config.subjects.iter().filter_map(|it| it.meet(filter));
            let met: Vec<_> = met.collect();
            if config.subjects.iter().any(|it| it.covers(filter)) {
                return Ok(vec![(&*config.name, met)]);
            }
            if !met.is_empty() {
                found.push((&*config.name, met));
            }
        }
        if found.is_empty() {
            let known = listed(self.streams.iter().map(|config| &*config.name));
            let reason = format!("no stream of the topology stores this subject; {known}");
            let error = Error::new(ErrorKind::NoStream, Operation::Configure, reason);
            return Err(error.at_subject(filter.clone()));
        }
        Ok(found)
    }

    /// The streams of this account that declared ones copy, and that are not declared.
    pub(super) fn originals(&self) -> impl Iterator<Item = &str> {
        let copied = self.streams.iter().flat_map(StreamConfig::upstreams);
        let here = copied.filter(|upstream| upstream.api_prefix.is_none());
        let others = here.filter(|upstream| {
            let mut streams = self.streams.iter();
            streams.all(|config| config.name != upstream.stream)
        });
        others.map(|upstream| &*upstream.stream)
    }

    /// # Errors
    ///
    /// If the topology does not declare it.
    pub(super) fn consumer(&self, service: &str, name: &str) -> Result<&'a DurableSpec, Error> {
        let consumers = self.topology.consumers;
        consumers.iter().find(|it| it.name == name).ok_or_else(|| {
            let known = listed(consumers.iter().map(|it| it.name));
            invalid(format!(
                "the service `{service}` consumes `{name}`, which is no consumer of the topology; {known}"
            ))
        })
    }

    /// # Errors
    ///
    /// If the topology does not declare it.
    pub(super) fn dead_letters(
        &self,
        service: &str,
        name: &str,
    ) -> Result<&'a DeadLetterSpec, Error> {
        let all = self.topology.dead_letters;
        all.iter().find(|it| it.name == name).ok_or_else(|| {
            let known = listed(all.iter().map(|it| it.name));
            invalid(format!(
                "the service `{service}` keeps dead letters in `{name}`, which is no dead-letter stream of the topology; {known}"
            ))
        })
    }

    /// The durables of a consumer in each of its streams.
    pub(super) fn durables(&self, spec: &DurableSpec) -> Result<Vec<Durable<'_>>, Error> {
        let mut filters = Vec::new();
        match (spec.pattern, spec.other) {
            (Some(filter), _) | (None, Some(filter)) => {
                let events = Events {
                    name: "events",
                    filter,
                    is_absolute: false,
                };
                filters.push(self.subject(&events)?);
            }
            (None, None) => {
                for member in spec.members {
                    filters.push(self.subject(&Events::of(member))?);
                }
            }
        }
        let mut streams: Vec<(&str, Vec<Pattern>)> = Vec::new();
        for filter in &filters {
            for (stream, met) in self.streams_of(filter, spec.stream)? {
                match streams.iter_mut().find(|(name, _)| *name == stream) {
                    Some((_, known)) => known.extend(met),
                    None => streams.push((stream, met)),
                }
            }
        }
        let mut durables = Vec::new();
        for name in spec.durables() {
            durables.extend(streams.iter().map(|(stream, filters)| Durable {
                stream,
                name: name.clone(),
                filter: match &filters[..] {
                    [filter] => Some(filter.clone()),
                    _ => None,
                },
            }));
        }
        Ok(durables)
    }
}

impl Durable<'_> {
    /// The permission to create it. `names` are those of the durable.
    pub(super) fn creates(&self, names: &Names<'_>, grants: &mut Grants) {
        let Some(filter) = &self.filter else {
            return grants.publish(CREATES_SEVERAL, names);
        };
        let names = Names {
            filter: filter.as_str(),
            ..*names
        };
        grants.publish(CREATES_ONE, &names);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn malformed(why: InvalidSubject) -> Error {
    invalid(why.to_string())
}

//! Plans mirrors and streams with sources: what is copied exists, no message goes round, and no server
//! takes them for a cycle.

mod cycle;
mod round;

use std::collections::HashMap;

use event_sdk::stream::{StreamConfig, UpstreamConfig};
use event_sdk::transport::{Error, ErrorKind, Transport, TransportExt as _};

pub(crate) use cycle::Cycle;

/// The streams that are declared, and those that were asked for.
pub(crate) struct Copies<'a> {
    transport: &'a dyn Transport,
    declared: &'a [StreamConfig],
    /// The streams that the server was asked for, by name; `None` if there is no such stream.
    asked: HashMap<String, Option<StreamConfig>>,
    /// The checks of the current stream that were not possible, each with its reason as a sentence.
    unchecked: Vec<String>,
}

impl<'a> Copies<'a> {
    pub(crate) fn new(transport: &'a dyn Transport, declared: &'a [StreamConfig]) -> Self {
        Self {
            transport,
            declared,
            asked: HashMap::new(),
            unchecked: Vec::new(),
        }
    }

    /// The streams of this account that the declared one copies, which do not exist and are not declared.
    pub(crate) async fn missing(&mut self, wanted: &StreamConfig) -> Result<Vec<String>, Error> {
        let mut missing = Vec::new();
        for upstream in wanted.upstreams() {
            if !is_here(upstream) {
                self.unchecked.push(elsewhere(wanted, upstream));
            } else if self.finally(&upstream.stream).await?.is_none() {
                missing.push(upstream.stream.to_string());
            }
        }
        Ok(missing)
    }

    /// What could not be checked since this was asked last.
    pub(crate) fn unchecked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unchecked)
    }

    /// The stream of this name once everything is applied.
    async fn finally(&mut self, name: &str) -> Result<Option<StreamConfig>, Error> {
        match self.declared.iter().find(|config| config.name == name) {
            Some(config) => Ok(Some(config.clone())),
            None => self.now(name).await,
        }
    }

    /// The stream of this name when that at `place` is applied: those before it have been.
    async fn before(&mut self, place: usize, name: &str) -> Result<Option<StreamConfig>, Error> {
        let mut applied = self.declared[..place].iter();
        match applied.find(|config| config.name == name) {
            Some(config) => Ok(Some(config.clone())),
            None => self.now(name).await,
        }
    }

    /// The stream of this name; `None` if there is none. One whose configuration cannot be read is taken
    /// to copy nothing, which is said.
    async fn now(&mut self, name: &str) -> Result<Option<StreamConfig>, Error> {
        if let Some(known) = self.asked.get(name) {
            return Ok(known.clone());
        }
        let found = match self.transport.stream_state(name).await {
            Ok(state) => Some(state.config),
            Err(error) => match error.kind() {
                ErrorKind::StreamNotFound => None,
                ErrorKind::PermissionDenied | ErrorKind::Other => {
                    self.unchecked.push(unread(name, &error));
                    Some(StreamConfig::new(name, Vec::new()))
                }
                _ => return Err(error),
            },
        };
        self.asked.insert(name.to_owned(), found.clone());
        Ok(found)
    }
}

/// Whether the original is in the same account and domain.
fn is_here(upstream: &UpstreamConfig) -> bool {
    upstream.api_prefix.is_none()
}

/// An original that this account cannot ask for.
fn elsewhere(copy: &StreamConfig, upstream: &UpstreamConfig) -> String {
    let prefix = upstream.api_prefix.as_deref().unwrap_or_default();
    format!(
        "whether {} exists, and whether messages of {} come back through it: a plan asks the account and the domain of its bus alone, and not {prefix}",
        upstream.stream.escape_debug(),
        copy.name
    )
}

/// A stream whose configuration cannot be read.
fn unread(name: &str, error: &Error) -> String {
    format!(
        "what {} copies, and whether messages come back through it: {error}",
        name.escape_debug()
    )
}

//! `Context`: what a command works with.

use std::path::PathBuf;

use event_sdk::config::{Config, ConfigError};
use event_sdk::transport::{ConsumerAdmin, StreamAdmin};
use event_sdk::{BusBuilder, EventBus, Pattern};
use event_sdk_topology::Topology;
use jiff::Timestamp;

use crate::error::OpsError;
use crate::operations::Operations;
use crate::output::Output;

/// What a command works with: the program's operations, the configuration, and the screen.
pub(crate) struct Context<'a> {
    pub(crate) operations: &'a Operations,
    /// The TOML file of `--config`.
    pub(crate) file: Option<PathBuf>,
    pub(crate) output: Output<'a>,
}

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing needs attention.
    Done,
    /// Something needs attention, or was refused, and was said.
    Found,
    /// There is more than the command was told to show.
    Cut,
}

impl Outcome {
    /// Whether something needs attention.
    pub(crate) const fn found(is: bool) -> Self {
        if is { Self::Found } else { Self::Done }
    }
}

impl Context<'_> {
    /// The configuration from the environment and the file.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        let loader = Config::loader();
        match &self.file {
            Some(file) => loader.file(file),
            None => loader,
        }
        .load()
    }

    /// The bus of the program, else one that is connected as the configuration says. Nothing is
    /// declared on it, so that no command creates or changes what it did not name.
    pub(crate) async fn bus(&self) -> Result<EventBus, OpsError> {
        match &self.operations.bus {
            Some(bus) => Ok(bus.clone()),
            None => Ok(EventBus::from_config(&self.config()?).await?),
        }
    }

    /// The prefix of subjects: that of the program's bus, else that of the configuration. Nothing is
    /// connected.
    pub(crate) fn prefix(&self) -> Result<String, OpsError> {
        if let Some(bus) = &self.operations.bus {
            return Ok(bus.prefix().to_owned());
        }
        let configured = self.config()?.expanded_prefix()?;
        Ok(configured.unwrap_or_else(|| BusBuilder::DEFAULT_PREFIX.to_owned()))
    }

    /// The time of the program's bus, else that of the system.
    pub(crate) fn now(&self) -> Timestamp {
        let bus = self.operations.bus.as_ref();
        bus.map_or_else(Timestamp::now, |bus| bus.clock().now())
    }

    /// The topology of the program.
    pub(crate) fn topology(&self) -> Result<Topology, OpsError> {
        self.operations.topology.ok_or_else(|| {
            OpsError::Usage(format!(
                "`{}` declares no topology, so there is nothing to compare with; give it one with `Operations::topology`",
                self.operations.name
            ))
        })
    }
}

/// The transport's streams.
pub(crate) fn streams(bus: &EventBus) -> Result<&dyn StreamAdmin, OpsError> {
    bus.transport()
        .stream_admin()
        .ok_or_else(|| lacks(bus, "streams"))
}

/// The transport's consumers.
pub(crate) fn consumers(bus: &EventBus) -> Result<&dyn ConsumerAdmin, OpsError> {
    bus.transport()
        .consumer_admin()
        .ok_or_else(|| lacks(bus, "consumers"))
}

fn lacks(bus: &EventBus, what: &str) -> OpsError {
    OpsError::Usage(format!(
        "the transport `{}` has no {what} to administer",
        bus.transport().name()
    ))
}

/// Reads a pattern of an argument.
pub(crate) fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text.to_owned()).map_err(|why| why.to_string())
}

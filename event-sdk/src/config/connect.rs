//! `EventBus::from_env`, `EventBus::from_config` and `BusBuilder::connect`: the bus of a
//! configuration.

use std::time::Duration;

use super::Config;
use super::choice::{LogLevel, TransportChoice};
use super::error::{ConfigError, ProblemKind};
use super::refuse::Refusing;
use crate::bus::{BusBuilder, EventBus};
use event_sdk_core::transport::Error;

impl EventBus {
    /// Makes the bus that the environment describes: on memory, on NATS, or without a transport. See
    /// [`Config::from_env`] for the variables.
    ///
    /// The same bus publishes and subscribes. To declare streams and durables, use
    /// [`BusBuilder::connect`].
    ///
    /// Cancel-safe: dropping the future stops connecting.
    ///
    /// # Errors
    ///
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if no transport is chosen;
    /// [`InvalidOption`](crate::ErrorKind::InvalidOption) for everything that is wrong with the
    /// configuration; errors of the connection.
    pub async fn from_env() -> Result<Self, Error> {
        Self::from_config(&Config::from_env()?).await
    }

    /// Makes the bus that a configuration describes: on memory, on NATS, or without a transport.
    ///
    /// Cancel-safe: dropping the future stops connecting.
    ///
    /// # Errors
    ///
    /// The same as for [`from_env`](Self::from_env).
    pub async fn from_config(config: &Config) -> Result<Self, Error> {
        Self::builder().connect(config).await
    }
}

impl BusBuilder {
    /// Takes the settings of the bus from a configuration: prefix, source, region, timeout and
    /// maximum payload. What the configuration does not set keeps the value of this builder.
    /// [`connect`](Self::connect) does the same.
    ///
    /// # Errors
    ///
    /// The same as for [`Config::validate`].
    pub fn configure(mut self, config: &Config) -> Result<Self, ConfigError> {
        config.validate()?;
        if let Some(prefix) = config.expanded_prefix()? {
            self = self.prefix(prefix);
        }
        if let Some(application) = &config.application {
            self = self.source(application);
        }
        if let Some(region) = &config.region {
            self = self.metadata("region", region);
        }
        if let Some(timeout) = config.publish_timeout {
            self = self.publish_timeout(timeout);
        }
        if let Some(bytes) = config.max_payload {
            self = self.max_payload(to_usize(bytes));
        }
        let least = config.least_timeout();
        Ok(self.publish_timeout_at_least(least))
    }

    /// Makes the bus that a configuration describes, with the declarations of this builder.
    ///
    /// Cancel-safe: dropping the future stops connecting.
    ///
    /// # Errors
    ///
    /// The same as for [`EventBus::from_env`] and [`transport`](Self::transport) or `memory`.
    pub async fn connect(self, config: &Config) -> Result<EventBus, Error> {
        let builder = self.configure(config)?;
        let Some(transport) = config.transport else {
            let text = format!(
                "no transport is chosen; set {} to `memory` or `nats`, or to `discard` or `refuse` to run without one",
                config.variable("transport")
            );
            let problem = config.problem(ProblemKind::Missing, "transport", text);
            return Err(ConfigError::from(problem).into());
        };
        let bus = match transport {
            TransportChoice::Memory => on_memory(builder, config)?,
            TransportChoice::Nats => on_nats(builder, config).await?,
            TransportChoice::Discard => discarding(builder, config)?,
            TransportChoice::Refuse => {
                builder.transport(Refusing::new(config.variable("transport")))?
            }
        };
        log(&bus, config, transport);
        Ok(bus)
    }
}

#[cfg(feature = "memory")]
fn on_memory(builder: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    builder
        .memory_max_messages(config.memory.max_messages)
        .memory_with(|memory| config.of_memory(memory))
}

#[cfg(not(feature = "memory"))]
fn on_memory(_: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    Err(missing_feature(config, "memory"))
}

#[cfg(feature = "memory")]
fn discarding(builder: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    super::discard::bus(builder, config)
}

#[cfg(not(feature = "memory"))]
fn discarding(_: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    Err(missing_feature(config, "memory"))
}

#[cfg(feature = "nats")]
async fn on_nats(builder: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    use crate::transport::nats::Nats;

    builder.check()?;
    let nats = Nats::connect(config.nats_options()?).await?;
    builder.transport(nats)
}

#[cfg(not(feature = "nats"))]
#[expect(
    clippy::unused_async,
    reason = "its caller awaits what it does with the feature"
)]
async fn on_nats(_: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    Err(missing_feature(config, "nats"))
}

#[cfg(not(all(feature = "memory", feature = "nats")))]
fn missing_feature(config: &Config, feature: &str) -> Error {
    let text = format!("this program was built without the feature `{feature}` of event-sdk");
    let problem = config.problem(ProblemKind::MissingFeature, "transport", text);
    ConfigError::from(problem).into()
}

impl Config {
    /// The least time for what may need the leader of a stream in another region.
    pub(super) fn least_timeout(&self) -> Duration {
        let timeout = self.inter_region_timeout.unwrap_or_default();
        if self.regions.len() > 1 {
            timeout
        } else {
            Duration::ZERO
        }
    }

    /// The settings of the memory transport.
    #[cfg(feature = "memory")]
    pub(super) fn of_memory(
        &self,
        mut memory: crate::transport::memory::MemoryTransportBuilder,
    ) -> crate::transport::memory::MemoryTransportBuilder {
        if let Some(bytes) = self.memory.max_payload {
            memory = memory.max_payload(to_usize(bytes));
        }
        memory.hand_over(self.memory.hand_over)
    }
}

/// A size that memory can have.
fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Says which bus was made, and whether its log level is shown.
fn log(bus: &EventBus, config: &Config, transport: TransportChoice) {
    let (prefix, source) = (bus.prefix(), bus.source());
    match transport {
        TransportChoice::Memory | TransportChoice::Nats => tracing::info!(
            target: crate::TRACING_TARGET,
            %transport, prefix, source, "the bus was made as configured"
        ),
        TransportChoice::Discard => tracing::warn!(
            target: crate::TRACING_TARGET,
            %transport, prefix, source,
            "the bus runs without a transport, as configured: events are accepted and dropped"
        ),
        TransportChoice::Refuse => tracing::warn!(
            target: crate::TRACING_TARGET,
            %transport, prefix, source,
            "the bus runs without a transport, as configured: every operation is refused"
        ),
    }
    if let Some(level) = config.log_level
        && !is_shown(level)
    {
        tracing::warn!(
            target: crate::TRACING_TARGET,
            %level,
            "the tracing subscriber of this program does not show the configured log level; give `Config::log_filter` to it"
        );
    }
}

fn is_shown(level: LogLevel) -> bool {
    use tracing::Level;

    macro_rules! shown {
        ($level:ident) => {
            tracing::enabled!(target: crate::TRACING_TARGET, Level::$level)
        };
    }
    match level {
        LogLevel::Off => true,
        LogLevel::Error => shown!(ERROR),
        LogLevel::Warn => shown!(WARN),
        LogLevel::Info => shown!(INFO),
        LogLevel::Debug => shown!(DEBUG),
        LogLevel::Trace => shown!(TRACE),
    }
}

//! Configuration by environment, file and code: `Config`, and how a bus is made from it.
//!
//! ```no_run
//! use event_sdk::EventBus;
//!
//! # async fn example() -> Result<(), event_sdk::Error> {
//! // EVENT_SDK_TRANSPORT=nats
//! // EVENT_SDK_APPLICATION=billing
//! // EVENT_SDK_NATS__URL=tls://nats.internal:4222
//! // EVENT_SDK_NATS__USER=billing
//! // EVENT_SDK_NATS__PASSWORD_FILE=/run/secrets/nats-password
//! let bus = EventBus::from_env().await?;
//! # let _ = bus;
//! # Ok(())
//! # }
//! ```
//!
//! A service that declares streams and durables gives the configuration to its builder:
//!
//! ```
//! use event_sdk::EventBus;
//! use event_sdk::config::{Config, TransportChoice};
//! use event_sdk::stream::StreamSpec;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::loader()
//!     .defaults(|config| config.transport = Some(TransportChoice::Memory))
//!     .load()?;
//! let bus = EventBus::builder()
//!     .stream(StreamSpec::new("ORDERS").subject("orders.>"))
//!     .connect(&config)
//!     .await?;
//! # let _ = bus;
//! # Ok(())
//! # }
//! ```
//!
//! [docs/configuration.md](https://github.com/event-sdk/event-sdk/blob/main/docs/configuration.md)
//! has the table of all settings, with their names in other systems. A program gets the same table
//! from [`settings`].
//!
//! - **Precedence**, highest first: [`override_with`](ConfigLoader::override_with) in code,
//!   environment variables, the TOML file, the [preset](Preset), and
//!   [`defaults`](ConfigLoader::defaults) in code.
//! - **Nothing is guessed or ignored.** Without a transport there is no bus. An unknown name, a
//!   value that is not allowed, and a setting without effect are errors. Each error says where the
//!   value is, and which values are allowed. There is one exception: the settings of a transport
//!   that is not chosen are read and checked, but not used. So you can switch to another transport
//!   by changing `transport` alone.
//! - **Secrets** are never shown. A password, token, NKey or credentials file is read again at each
//!   reconnect.

mod choice;
mod field;
mod secret;
mod typed;
mod unit;

mod settings;

mod error;
mod nearest;

mod entry;
mod environment;
mod familiar;
mod file;
mod loader;

mod debug;
mod naming;
mod validate;

mod connect;
#[cfg(feature = "memory")]
mod discard;
#[cfg(feature = "nats")]
mod nats;
mod refuse;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::choice::{LogLevel, ManagementChoice, Preset, TransportChoice};
pub use self::error::{ConfigError, ConfigProblem, Origin, ProblemKind};
pub use self::familiar::{FamiliarName, Here, System, familiar_names};
pub use self::loader::ConfigLoader;
pub use self::secret::Secret;
pub use self::settings::{Setting, settings};
pub use self::typed::{MemoryConfig, NatsConfig};
pub use self::unit::{Unit, parse_duration};

/// The beginning of the name of every environment variable that is a setting.
const VARIABLE_PREFIX: &str = "EVENT_SDK_";

/// The configuration of a bus.
///
/// Each field is the [setting](settings) of the same name. `Debug` shows no secret. Fields may be
/// added: start with `default()`, or load a configuration.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// Defaults for a kind of deployment. It was applied when the configuration was loaded.
    pub preset: Option<Preset>,
    /// Where events go. Must be set before a bus is made.
    pub transport: Option<TransportChoice>,
    /// The name of this service: the `source` of its events, and the default of `nats.name`.
    pub application: Option<String>,
    /// The environment, for `{environment}` in `prefix`.
    pub environment: Option<String>,
    /// The application at the other end, for `{destination}` in `prefix`.
    pub destination: Option<String>,
    /// The prefix of all subjects, with the placeholders `{environment}`, `{application}`,
    /// `{destination}` and `{region}`. `None`: the prefix of the builder.
    pub prefix: Option<String>,
    /// The region of this service. Its events have it as the metadata `region`.
    pub region: Option<String>,
    /// All regions. `region` must be one of them.
    pub regions: Vec<String>,
    /// The minimum for the timeouts of publishes and requests, if there are several `regions`.
    pub inter_region_timeout: Option<Duration>,
    /// The time limit for the confirmation of a publish. `None`: the timeout of the builder.
    pub publish_timeout: Option<Duration>,
    /// Maximum size of a body in bytes. `None`: the maximum of the builder.
    pub max_payload: Option<u64>,
    /// The lowest level of the messages that [`log_filter`](Self::log_filter) lets through.
    pub log_level: Option<LogLevel>,
    /// The memory transport.
    pub memory: MemoryConfig,
    /// The connection to NATS.
    pub nats: NatsConfig,
    loaded: Loaded,
}

/// How a configuration was loaded, for errors.
#[derive(Debug, Clone)]
struct Loaded {
    /// The prefix of environment variables.
    prefix: String,
    /// Where each setting was found.
    origins: BTreeMap<&'static str, Origin>,
}

impl Default for Loaded {
    fn default() -> Self {
        Self {
            prefix: VARIABLE_PREFIX.to_owned(),
            origins: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The prefix of the point-to-point naming. If an application publishes events for one other
    /// application, these events have the prefix `<environment>.<application>.sync.<destination>`.
    /// The events that it receives from the other application have the prefix
    /// [`reverse_prefix`](Self::reverse_prefix).
    pub const POINT_TO_POINT: &str = "{environment}.{application}.sync.{destination}";

    /// Starts to load a configuration.
    pub fn loader() -> ConfigLoader {
        ConfigLoader::new()
    }

    /// Loads the configuration from the environment variables `EVENT_SDK_…`. If the variable
    /// `EVENT_SDK_CONFIG_FILE` names a TOML file, loads that file too.
    ///
    /// # Errors
    ///
    /// The same as for [`ConfigLoader::load`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::loader().load()
    }

    /// Whether a transport that carries events is chosen: `memory` or `nats`. A service that can
    /// run without a bus checks this, or sets `discard` or `refuse` as its default transport.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        let carries = [TransportChoice::Memory, TransportChoice::Nats];
        self.transport
            .is_some_and(|chosen| carries.contains(&chosen))
    }

    /// Where the value of a setting was found; `None` if the setting was not configured or is
    /// unknown.
    #[must_use]
    pub fn origin(&self, setting: &str) -> Option<&Origin> {
        self.loaded.origins.get(setting)
    }

    /// The filter for a `tracing` subscriber, in the syntax of `tracing_subscriber::EnvFilter`.
    /// With this filter, the subscriber shows the messages of event-sdk of the level
    /// [`log_level`](Self::log_level) and of more severe levels. `None` if no level is set.
    ///
    /// The SDK installs no subscriber. If the program's subscriber does not show messages of
    /// `log_level`, the bus logs a warning when it is made.
    ///
    /// ```
    /// use event_sdk::config::{Config, LogLevel};
    ///
    /// let mut config = Config::default();
    /// config.log_level = Some(LogLevel::Debug);
    /// assert_eq!(config.log_filter().as_deref(), Some("event_sdk=debug"));
    /// ```
    #[must_use]
    pub fn log_filter(&self) -> Option<String> {
        let level = self.log_level?;
        Some(format!("{}={level}", crate::TRACING_TARGET))
    }

    /// The environment variable of a setting.
    fn variable(&self, setting: &str) -> String {
        let named = settings::named(setting);
        named.map_or_else(String::new, |setting| {
            setting.variable_under(&self.loaded.prefix)
        })
    }

    /// A problem of this setting, with the place where its value was found.
    fn problem(
        &self,
        kind: ProblemKind,
        setting: &'static str,
        text: impl Into<String>,
    ) -> ConfigProblem {
        let problem = ConfigProblem::new(kind, text).of(setting);
        problem.from(self.loaded.origins.get(setting))
    }
}

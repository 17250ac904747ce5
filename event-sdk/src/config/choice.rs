//! Settings with a few named values: `TransportChoice`, `Preset`, `LogLevel`, `ManagementChoice`.

use std::fmt;

/// A setting with a few named values.
pub(super) trait Choice: Copy + PartialEq + 'static {
    /// The values by name.
    const NAMES: &'static [(&'static str, Self)];
    /// The names, for errors and docs.
    const ALLOWED: &'static str;

    /// The value of this name, in any case.
    fn named(text: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        let (_, value) = names.find(|(name, _)| name.eq_ignore_ascii_case(text))?;
        Some(*value)
    }

    /// The name.
    fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        let named = names.find(|(_, value)| *value == self);
        named.map_or("", |(name, _)| name)
    }
}

macro_rules! choice {
    (
        $(#[$of_enum:meta])*
        $enum:ident, $allowed:literal { $($(#[$of_value:meta])* $value:ident = $name:literal),* $(,)? }
    ) => {
        $(#[$of_enum])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $enum { $($(#[$of_value])* $value),* }

        impl Choice for $enum {
            const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$value)),*];
            const ALLOWED: &'static str = $allowed;
        }

        impl fmt::Display for $enum {
            /// The name, as it is configured.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

choice! {
    /// The setting `transport`: where events go.
    TransportChoice, "`memory`, `nats`, `discard` or `refuse`" {
        /// Streams in the memory of this process (feature `memory`).
        Memory = "memory",
        /// A NATS server with JetStream (feature `nats`).
        Nats = "nats",
        /// No transport, and the service fails open. A publish is accepted, dropped and counted
        /// ([`EventBus::discarded`](crate::EventBus::discarded)); the first, tenth, hundredth and
        /// so on are logged. Subscriptions wait, and receive nothing. Streams, consumers and leases
        /// exist in the memory of the process, which needs the feature `memory`.
        ///
        /// The relay of an outbox treats such an event as stored and marks its row as published, so
        /// the event is lost. Do not run a relay with this choice.
        Discard = "discard",
        /// No transport, and the service fails closed: every operation returns
        /// [`NotConfigured`](crate::ErrorKind::NotConfigured).
        Refuse = "refuse",
    }
}

choice! {
    /// The setting `preset`: defaults for a kind of deployment. Settings in the environment or the
    /// file take precedence over the preset.
    Preset, "`development`, `staging` or `production`" {
        /// The memory transport in one process, debug logs, and streams that keep 10,000 events.
        Development = "development",
        /// NATS, with up to 30 s for the first connection.
        Staging = "staging",
        /// NATS, with up to a minute for the first connection.
        Production = "production",
    }
}

impl Preset {
    /// The settings of this preset, as texts.
    pub(super) fn values(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Development => &[
                ("transport", "memory"),
                ("log_level", "debug"),
                ("memory.max_messages", "10000"),
            ],
            Self::Staging => &[
                ("transport", "nats"),
                ("log_level", "info"),
                ("nats.connect_within", "30s"),
            ],
            Self::Production => &[
                ("transport", "nats"),
                ("log_level", "info"),
                ("nats.connect_within", "1m"),
            ],
        }
    }
}

choice! {
    /// The setting `log_level`: the lowest level of event-sdk's messages that are logged.
    LogLevel, "`off`, `error`, `warn`, `info`, `debug` or `trace`" {
        /// No messages.
        Off = "off",
        /// Errors.
        Error = "error",
        /// Errors and warnings.
        Warn = "warn",
        /// Errors, warnings and information.
        Info = "info",
        /// Errors, warnings, information and details.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// The setting `nats.management`: whether the transport may use the JetStream API to inspect and
    /// change streams and consumers.
    ManagementChoice, "`allowed` or `never`" {
        /// The transport makes all requests that an operation needs.
        Allowed = "allowed",
        /// The transport makes no request of the JetStream API except to fetch messages.
        Never = "never",
    }
}

//! `Settings`: a stream's configuration and what is derived from it, such as matching of its
//! subjects.

use super::elapsed::nanos;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::{Pattern, Subject};

/// What a stream is, and what follows from it for each message.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: StreamConfig,
    stored: Vec<Stored>,
    /// How old a message may become, in nanoseconds.
    pub(super) age: Option<u64>,
    /// Whether a value is stored as it is: not where bytes are counted.
    pub(super) takes_values: bool,
}

/// A pattern of the stream. Most are a few tokens and a `>`, for which it is
/// enough to compare the beginning.
#[derive(Debug)]
enum Stored {
    Under(String),
    Pattern(Pattern),
}

impl Settings {
    pub(super) fn new(config: StreamConfig, hand_over: bool) -> Self {
        let limits = config.limits;
        Self {
            age: limits.age.map(nanos),
            takes_values: hand_over && limits.bytes.is_none() && limits.message_size.is_none(),
            stored: config.subjects.iter().map(Stored::new).collect(),
            config,
        }
    }

    /// Whether messages of `subject` are stored here.
    pub(super) fn stores(&self, subject: &Subject) -> bool {
        self.stored.iter().any(|stored| stored.matches(subject))
    }
}

impl Stored {
    fn new(pattern: &Pattern) -> Self {
        match pattern.as_str().strip_suffix('>') {
            Some(beginning) if !beginning.contains('*') => Self::Under(beginning.to_owned()),
            _ => Self::Pattern(pattern.clone()),
        }
    }

    fn matches(&self, subject: &Subject) -> bool {
        match self {
            // There is more after the dot, or it would be no subject.
            Self::Under(beginning) => subject.as_str().starts_with(beginning),
            Self::Pattern(pattern) => pattern.matches(subject),
        }
    }
}

//! `OpsError`: why a command could not do its work.

use std::error::Error as StdError;
use std::io;

use event_sdk::Error;
use event_sdk::config::ConfigError;
use event_sdk::shown::Shown;
use event_sdk::transport::ErrorKind;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpsError {
    /// What was asked for does not exist, or the arguments are incomplete.
    #[error("{0}")]
    Usage(String),
    /// The configuration is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The bus or the server refused.
    #[error(transparent)]
    Bus(#[from] Error),
    /// The output could not be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// Another failure; the source has the reason.
    #[error("{what}")]
    Failed {
        /// What could not be done.
        what: String,
        /// Why it could not be done.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl OpsError {
    /// An error with the part of the work that failed.
    pub(crate) fn failed(
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// An error and its sources for people. What cannot be seen is escaped, since parts come from servers,
/// databases and messages; the problems of a configuration stay in lines of their own.
pub(crate) fn shown(why: &OpsError) -> String {
    let mut text = chain(why);
    if let OpsError::Bus(error) = why {
        text.push_str(match error.kind() {
            ErrorKind::StreamNotFound => "; `streams ls` lists the streams",
            ErrorKind::ConsumerNotFound => "; `consumers ls` lists the consumers",
            _ => "",
        });
    }
    if matches!(why, OpsError::Config(_)) {
        let lines = text.lines().map(|line| Shown(line, usize::MAX).to_string());
        lines.collect::<Vec<_>>().join("\n")
    } else {
        Shown(&text, usize::MAX).to_string()
    }
}

/// An error and its sources as one text. What an error says of its source is not said again.
pub(crate) fn chain(why: &dyn StdError) -> String {
    let mut text = why.to_string();
    let mut next = why.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    #[test]
    fn what_an_error_says_of_its_source_is_not_repeated() {
        let source = Said("refused", None);
        let middle = Said("io error: refused", Some(Box::new(source)));
        let error = Said("cannot connect", Some(Box::new(middle)));
        assert_eq!(chain(&error), "cannot connect: io error: refused");
    }

    #[test]
    fn an_error_is_one_line_and_a_configuration_one_for_each_problem() {
        let error = OpsError::Usage("no stream A\u{1b}[2J\nerror: B".to_owned());
        assert_eq!(shown(&error), "no stream A\\u{1b}[2J\\nerror: B");
    }
}

//! Loads configurations from given variables, and never from those of the test's process.

use event_sdk::Event;
use event_sdk::config::{Config, ConfigError, ConfigLoader, ProblemKind};
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) id: u64,
}

pub(crate) const fn placed(id: u64) -> OrderPlaced {
    OrderPlaced { id }
}

/// A loader with these variables.
pub(crate) fn loader(variables: &[(&str, &str)]) -> ConfigLoader {
    let variables = variables.iter();
    Config::loader().variables(variables.map(|(name, value)| (*name, *value)))
}

pub(crate) fn load(variables: &[(&str, &str)]) -> Config {
    let loaded = loader(variables).load();
    loaded.unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn refused(variables: &[(&str, &str)]) -> ConfigError {
    loader(variables).load().expect_err("a refusal")
}

/// Asserts that there is one problem of this kind, and that it says all of this.
pub(crate) fn assert_says(error: &ConfigError, kind: ProblemKind, texts: &[&str]) {
    let [problem] = error.problems() else {
        panic!("not one problem: {error}");
    };
    assert_eq!(problem.kind(), kind, "{error}");
    for text in texts {
        assert!(
            error.to_string().contains(text),
            "{text:?} is not in: {error}"
        );
    }
}

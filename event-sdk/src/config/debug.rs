//! `Debug` of `Config` and `NatsConfig`, by the table of settings: shows no secret, not even one that was
//! set in a wrong place.

use std::fmt;

use super::typed::NatsConfig;
use super::{Config, settings};

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Config", "", self)
    }
}

impl fmt::Debug for NatsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = Config {
            nats: self.clone(),
            ..Config::default()
        };
        show(f, "NatsConfig", "nats.", &config)
    }
}

/// The settings whose names begin in this way, and that are set.
fn show(f: &mut fmt::Formatter<'_>, name: &str, begin: &str, config: &Config) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for setting in settings() {
        if let Some(name) = setting.name().strip_prefix(begin)
            && let Some(value) = setting.shown(config)
        {
            shown.field(name, &value);
        }
    }
    shown.finish_non_exhaustive()
}

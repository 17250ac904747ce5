//! Checks settings against each other, before anything connects.

use std::time::Duration;

use super::Config;
use super::choice::TransportChoice;
use super::error::{ConfigError, ConfigProblem, ProblemKind};
use super::naming::{check_component, uses};

impl Config {
    /// Checks the settings against each other. [`load`](super::ConfigLoader::load) and every method
    /// that uses a configuration do this too. It reads no file with a secret, and opens no
    /// connection.
    ///
    /// # Errors
    ///
    /// All problems that were found. A missing transport is not a problem here; see
    /// [`is_configured`](Self::is_configured).
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut checks = Checks {
            config: self,
            problems: Vec::new(),
        };
        checks.names();
        checks.regions();
        checks.numbers();
        checks.login();
        checks.connection();
        ConfigError::of(checks.problems)
    }
}

struct Checks<'a> {
    config: &'a Config,
    problems: Vec<ConfigProblem>,
}

impl Checks<'_> {
    fn add(&mut self, kind: ProblemKind, setting: &'static str, text: impl Into<String>) {
        self.problems.push(self.config.problem(kind, setting, text));
    }

    fn names(&mut self) {
        let config = self.config;
        for (setting, name) in [
            ("application", &config.application),
            ("environment", &config.environment),
            ("destination", &config.destination),
            ("region", &config.region),
        ] {
            if let Some(name) = name
                && let Err(why) = check_component(name)
            {
                self.add(ProblemKind::InvalidValue, setting, why);
            }
        }
        let prefix = config.prefix.as_deref().unwrap_or_default();
        for (setting, name) in [
            ("environment", &config.environment),
            ("destination", &config.destination),
        ] {
            if name.is_some() && !uses(prefix, setting) {
                let text = format!(
                    "it has no effect, since `prefix` ({}) has no `{{{setting}}}`; add it there, or remove this setting",
                    config.variable("prefix")
                );
                self.add(ProblemKind::Conflict, setting, text);
            }
        }
        // What is wrong with a name was said above.
        if self.problems.is_empty()
            && let Err(error) = config.expanded_prefix()
        {
            self.problems.extend_from_slice(error.problems());
        }
    }

    fn regions(&mut self) {
        let config = self.config;
        for (place, region) in config.regions.iter().enumerate() {
            if let Err(why) = check_component(region) {
                let text = format!("a region is refused: {why}");
                self.add(ProblemKind::InvalidValue, "regions", text);
            } else if config.regions[..place].contains(region) {
                let text = format!("`{region}` is named twice");
                self.add(ProblemKind::InvalidValue, "regions", text);
            }
        }
        match &config.region {
            Some(region) if !config.regions.is_empty() && !config.regions.contains(region) => {
                let text = format!(
                    "`{region}` is none of `regions`, which are {}",
                    config.regions.join(", ")
                );
                self.add(ProblemKind::Conflict, "region", text);
            }
            None if !config.regions.is_empty() => {
                let text = format!(
                    "they have no effect without `region` ({})",
                    config.variable("region")
                );
                self.add(ProblemKind::Conflict, "regions", text);
            }
            _ => {}
        }
        if config.inter_region_timeout.is_some() && config.regions.len() < 2 {
            let text = "it has no effect, since `regions` does not name several regions";
            self.add(ProblemKind::Conflict, "inter_region_timeout", text);
        }
    }

    fn numbers(&mut self) {
        let config = self.config;
        let nats = &config.nats;
        for (setting, time) in [
            ("publish_timeout", config.publish_timeout),
            ("inter_region_timeout", config.inter_region_timeout),
            ("nats.connect_timeout", Some(nats.connect_timeout)),
            ("nats.request_timeout", Some(nats.request_timeout)),
            ("nats.ping_interval", Some(nats.ping_interval)),
            ("nats.ack_timeout", Some(nats.ack_timeout)),
            ("nats.inactive_threshold", Some(nats.inactive_threshold)),
        ] {
            if time == Some(Duration::ZERO) {
                let text = "it is zero, which leaves no time for anything; make it longer";
                self.add(ProblemKind::InvalidValue, setting, text);
            }
        }
        let in_flight = u64::from(nats.max_in_flight != 0);
        for (setting, number) in [
            ("max_payload", config.max_payload),
            ("memory.max_payload", config.memory.max_payload),
            ("nats.max_in_flight", Some(in_flight)),
            ("nats.max_pull_bytes", Some(nats.max_pull_bytes)),
        ] {
            if number == Some(0) {
                let text = "it is zero, which allows nothing; make it larger";
                self.add(ProblemKind::InvalidValue, setting, text);
            }
        }
        if nats.reconnect_delay > nats.reconnect_delay_max {
            let text = "it is longer than `nats.reconnect_delay_max`; raise that, or lower this";
            self.add(ProblemKind::Conflict, "nats.reconnect_delay", text);
        }
    }

    fn login(&mut self) {
        let nats = &self.config.nats;
        let given: Vec<_> = [
            ("nats.password", nats.password.is_some()),
            ("nats.password_file", nats.password_file.is_some()),
            ("nats.token", nats.token.is_some()),
            ("nats.token_file", nats.token_file.is_some()),
            ("nats.nkey", nats.nkey.is_some()),
            ("nats.nkey_file", nats.nkey_file.is_some()),
            ("nats.credentials", nats.credentials.is_some()),
            ("nats.credentials_file", nats.credentials_file.is_some()),
        ]
        .into_iter()
        .filter_map(|(setting, given)| given.then_some(setting))
        .collect();
        if let [first, .., last] = &*given {
            let text = format!(
                "it contradicts `{first}` ({}): a connection has one login",
                self.config.variable(first)
            );
            self.add(ProblemKind::Conflict, last, text);
        }
        let has_password = nats.password.is_some() || nats.password_file.is_some();
        match (&nats.user, has_password) {
            (Some(_), false) => {
                let text = format!(
                    "a user needs `nats.password` ({}) or `nats.password_file` ({})",
                    self.config.variable("nats.password"),
                    self.config.variable("nats.password_file")
                );
                self.add(ProblemKind::Missing, "nats.user", text);
            }
            (None, true) => {
                let text = format!(
                    "a password needs `nats.user` ({})",
                    self.config.variable("nats.user")
                );
                self.add(ProblemKind::Missing, given[0], text);
            }
            _ => {}
        }
    }

    fn connection(&mut self) {
        let nats = &self.config.nats;
        let (one, other) = ("nats.client_certificate_file", "nats.client_key_file");
        let pair = (
            nats.client_certificate_file.is_some(),
            nats.client_key_file.is_some(),
        );
        let needs = |setting| {
            format!(
                "it has no effect without `{setting}` ({})",
                self.config.variable(setting)
            )
        };
        match pair {
            (true, false) => self.add(ProblemKind::Missing, one, needs(other)),
            (false, true) => self.add(ProblemKind::Missing, other, needs(one)),
            _ => {}
        }
        if nats.domain.is_some() && nats.api_prefix.is_some() {
            let text = "it contradicts `nats.domain`, which sets the prefix of the JetStream API";
            self.add(ProblemKind::Conflict, "nats.api_prefix", text);
        }
        if self.config.transport == Some(TransportChoice::Nats) && nats.url.is_none() {
            let text = format!(
                "set {} to the URLs of the servers, such as nats://localhost:4222",
                self.config.variable("nats.url")
            );
            self.add(ProblemKind::Missing, "nats.url", text);
        }
    }
}

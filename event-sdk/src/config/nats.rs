//! `NatsOptions` of a configuration.

use super::Config;
use super::choice::ManagementChoice;
use super::error::{ConfigError, ConfigProblem, ProblemKind};
use crate::transport::nats::{Management, Nats, NatsOptions};

impl Config {
    /// The options of the connection that the configuration describes. They are for a program that
    /// adds to them, such as a [callback](NatsOptions::login_from) for logins. Connect with
    /// [`Nats::connect`], and give the transport to a builder that was
    /// [configured](crate::BusBuilder::configure).
    ///
    /// ```no_run
    /// use event_sdk::config::Config;
    /// use event_sdk::transport::nats::{LoginError, Nats, NatsLogin};
    /// use event_sdk::EventBus;
    ///
    /// async fn from_vault() -> Result<NatsLogin, LoginError> {
    ///     # let password = "";
    ///     // …
    ///     Ok(NatsLogin::user("billing", password))
    /// }
    ///
    /// # async fn example() -> Result<(), event_sdk::Error> {
    /// let config = Config::from_env()?;
    /// let options = config.nats_options()?.login_from(from_vault);
    /// let bus = EventBus::builder()
    ///     .configure(&config)?
    ///     .transport(Nats::connect(options).await?)?;
    /// # let _ = bus;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as for [`validate`](Self::validate), a missing `nats.url`, and a value that the
    /// options refuse, such as the URL of a server.
    pub fn nats_options(&self) -> Result<NatsOptions, ConfigError> {
        self.validate()?;
        let nats = &self.nats;
        let Some(url) = &nats.url else {
            let text = format!(
                "set {} to the URLs of the servers, such as nats://localhost:4222",
                self.variable("nats.url")
            );
            return Err(self.problem(ProblemKind::Missing, "nats.url", text).into());
        };
        let least = self.least_timeout();
        let mut options = Nats::options(url.expose())
            .management(match nats.management {
                ManagementChoice::Allowed => Management::Allowed,
                ManagementChoice::Never => Management::Never,
            })
            .connect_timeout(nats.connect_timeout)
            .connect_within(nats.connect_within)
            .request_timeout(nats.request_timeout.max(least))
            .ping_interval(nats.ping_interval)
            .reconnect_delay(nats.reconnect_delay, nats.reconnect_delay_max)
            .max_reconnects(nats.max_reconnects)
            .max_in_flight(nats.max_in_flight)
            .ack_timeout(nats.ack_timeout.max(least))
            .connection_wait(nats.connection_wait)
            .inactive_threshold(nats.inactive_threshold)
            .max_pull_bytes(nats.max_pull_bytes);
        if nats.only_given_servers {
            options = options.only_given_servers();
        }
        if let Some(name) = nats.name.as_ref().or(self.application.as_ref()) {
            options = options.name(name);
        }
        if let Some(prefix) = &nats.inbox_prefix {
            options = options.inbox_prefix(prefix);
        }
        if let Some(domain) = &nats.domain {
            options = options.domain(domain);
        }
        if let Some(prefix) = &nats.api_prefix {
            options = options.api_prefix(prefix);
        }
        let options = self.with_login(self.with_tls(options));
        options.validate().map_err(|error| {
            // It says what is wrong, and shows no secret.
            let text = format!("the settings `nats.…`: {error}");
            ConfigProblem::new(ProblemKind::InvalidValue, text)
        })?;
        Ok(options)
    }

    fn with_tls(&self, mut options: NatsOptions) -> NatsOptions {
        let nats = &self.nats;
        if nats.tls {
            options = options.tls();
        }
        if nats.tls_first {
            options = options.tls_first();
        }
        for authority in &nats.ca_file {
            options = options.ca_file(authority);
        }
        if let (Some(certificate), Some(key)) =
            (&nats.client_certificate_file, &nats.client_key_file)
        {
            options = options.client_certificate(certificate, key);
        }
        options
    }

    /// The options with the login, of which there is at most one.
    fn with_login(&self, mut options: NatsOptions) -> NatsOptions {
        let nats = &self.nats;
        if let Some(user) = &nats.user {
            if let Some(password) = &nats.password {
                options = options.user(user, password.expose());
            } else if let Some(path) = &nats.password_file {
                options = options.user_password_file(user, path);
            }
        }
        if let Some(token) = &nats.token {
            options = options.token(token.expose());
        }
        if let Some(path) = &nats.token_file {
            options = options.token_file(path);
        }
        if let Some(seed) = &nats.nkey {
            options = options.nkey(seed.expose());
        }
        if let Some(path) = &nats.nkey_file {
            options = options.nkey_file(path);
        }
        if let Some(text) = &nats.credentials {
            options = options.credentials(text.expose());
        }
        if let Some(path) = &nats.credentials_file {
            options = options.credentials_file(path);
        }
        options
    }
}

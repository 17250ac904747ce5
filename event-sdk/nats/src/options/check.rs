//! Checks options against each other and their limits, before anything connects.

use super::masked::{FreeText, looks_secret};
use super::{NatsOptions, refused};
use event_sdk_core::subject::grammar::is_unseen;
use event_sdk_core::transport::Error;

impl NatsOptions {
    /// Validates the options, except the URLs of the servers. Files are read later.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (what, prefix) in [
            ("inbox prefix", &self.inbox_prefix),
            ("JetStream API prefix", &self.api_prefix),
        ] {
            if let Some(why) = bad_prefix(prefix) {
                let prefix = FreeText::new(prefix);
                return Err(refused(format!("{prefix} cannot be the {what}: {why}")));
            }
        }
        // Subjects and names are in the logs of clients and servers.
        for (what, text) in [
            ("inbox prefix", Some(&self.inbox_prefix)),
            ("JetStream API prefix", Some(&self.api_prefix)),
            ("name of the connection", self.name.as_ref()),
        ] {
            if text.is_some_and(|text| looks_secret(text)) {
                return Err(refused(format!(
                    "the {what} looks like a secret, and would be in logs; set credentials with `user`, `token`, `nkey` or `credentials`"
                )));
            }
        }
        for (what, time) in [
            ("connect timeout", self.connect_timeout),
            ("request timeout", self.request_timeout),
            ("ping interval", self.ping_interval),
            ("ack timeout", self.limits.ack),
            ("inactive threshold", self.inactive),
        ] {
            if time.is_zero() {
                return Err(refused(format!(
                    "the {what} is zero, which leaves no time for anything; make it longer"
                )));
            }
        }
        if self.max_pull_bytes == 0 {
            return Err(refused(
                "no bytes may be asked for, which would bring no message; allow more",
            ));
        }
        Ok(())
    }
}

/// Why a text is not a valid prefix of subjects; `None` if it is.
fn bad_prefix(prefix: &str) -> Option<&'static str> {
    if prefix.split('.').any(str::is_empty) {
        Some("it has an empty token")
    } else if prefix.contains(is_unseen) {
        Some("it has white space, a control character or another one that shows nothing")
    } else if prefix.contains(['*', '>']) {
        Some("it has a wildcard")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::NatsOptions;

    #[test]
    fn one_login_is_given_by_the_options_or_by_the_url() {
        let with_token = |url| NatsOptions::new(url).token("a-token");
        with_token("nats://one.example:4222").validate().unwrap();
        NatsOptions::new("nats://me:hidden@one.example:4222")
            .validate()
            .unwrap();
        let error = with_token("nats://me:hidden@one.example:4222")
            .validate()
            .unwrap_err()
            .to_string();
        assert!(error.contains("remove one"), "{error}");
        assert!(
            !error.contains("hidden") && !error.contains("a-token"),
            "{error}"
        );
    }
}

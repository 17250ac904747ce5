//! Validates a consumer's configuration: contradicting options, ack wait and backoff of zero,
//! missing or overlapping filters.

use std::time::Duration;

use super::{AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Prefetch, SubscribeRequest};
use crate::stream::check_name;

impl SubscribeRequest {
    /// Checks that the settings are valid and do not contradict each other. Does not check filters:
    /// see [`ConsumerConfig::check_filters`].
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.prefetch == Prefetch::Fixed(0) {
            return Err(
                "a subscription takes at least one message ahead; set prefetch to one or more"
                    .to_owned(),
            );
        }
        if self.must_exist && self.config.name == ConsumerName::Ephemeral {
            return Err(
                "a consumer without a name is created by its subscription, so it cannot have to exist; name a durable"
                    .to_owned(),
            );
        }
        self.config.check()
    }
}

impl ConsumerConfig {
    /// Checks that the name is valid, and that the settings do not contradict each other. Does not
    /// check filters: see [`check_filters`](Self::check_filters).
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence.
    pub fn check(&self) -> Result<(), String> {
        if let Some(name) = self.name.as_str() {
            check_name(name)
                .map_err(|why| format!("a consumer cannot have the name {name:?}: {why}"))?;
        }
        if self.deliver == DeliverPolicy::ByStartSequence(0) {
            return Err("sequences begin with one; start there, or deliver all".to_owned());
        }
        match self.ack {
            AckPolicy::None => self.check_without_acks(),
            AckPolicy::Explicit | AckPolicy::All => self.check_with_acks(),
        }
    }

    /// Checks that there is a filter, and that no two filters overlap. Compares each filter with
    /// each other one.
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence.
    pub fn check_filters(&self) -> Result<(), String> {
        if self.filters.is_empty() {
            return Err(Self::NO_FILTER.to_owned());
        }
        for (place, one) in self.filters.iter().enumerate() {
            let mut before = self.filters[..place].iter();
            if let Some(other) = before.find(|other| other.overlaps(one)) {
                return Err(Self::overlap(other, one));
            }
        }
        Ok(())
    }

    /// The reason why a consumer without filters is refused.
    pub const NO_FILTER: &str =
        "there is no filter; name at least one pattern, `>` for every subject of the stream";

    /// The reason why a consumer with these two filters is refused.
    #[must_use]
    pub fn overlap(one: &crate::Pattern, other: &crate::Pattern) -> String {
        format!(
            "the filters {one} and {other} overlap; a message must match one of them only, so leave out the narrower or make them distinct"
        )
    }

    fn check_with_acks(&self) -> Result<(), String> {
        if self.ack_wait.is_zero() && self.backoff.is_empty()
            || self.backoff.iter().any(Duration::is_zero)
        {
            return Err(
                "the ack wait and every step of the backoff must be greater than zero: a delivery without time to be handled is due again at once"
                    .to_owned(),
            );
        }
        let steps = self.backoff.len();
        match self.max_deliver {
            Some(max) if usize::try_from(max.get()).is_ok_and(|max| steps > max) => Err(format!(
                "the backoff has {steps} waits, but a message is delivered {max} times at the most; shorten the one or raise the other"
            )),
            _ => Ok(()),
        }
    }

    fn check_without_acks(&self) -> Result<(), String> {
        let set = if self.max_deliver.is_some() {
            "max deliver"
        } else if !self.backoff.is_empty() {
            "backoff"
        } else {
            return Ok(());
        };
        Err(format!(
            "{set} is set, but a consumer that acknowledges nothing delivers each message once; leave it out or acknowledge"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::Pattern;

    fn config() -> ConsumerConfig {
        ConsumerConfig::new(
            ConsumerName::Durable("d".into()),
            vec![Pattern::everything()],
        )
    }

    fn why(change: impl FnOnce(&mut ConsumerConfig)) -> String {
        let mut config = config();
        assert_eq!(config.check(), Ok(()));
        change(&mut config);
        config.check().unwrap_err()
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let no_name = why(|config| config.name = ConsumerName::Group("a.b".into()));
        assert!(no_name.contains("\"a.b\""), "{no_name}");
        let start = why(|config| config.deliver = DeliverPolicy::ByStartSequence(0));
        assert!(start.contains("begin with one"), "{start}");
        for wait in [
            why(|config| config.ack_wait = Duration::ZERO),
            why(|config| config.backoff = vec![Duration::from_secs(1), Duration::ZERO]),
        ] {
            assert!(wait.contains("greater than zero"), "{wait}");
        }
        let steps = why(|config| {
            config.backoff = vec![Duration::from_secs(1); 3];
            config.max_deliver = NonZeroU32::new(2);
        });
        assert!(steps.contains("3 waits"), "{steps}");
        for set in [
            why(|config| {
                config.ack = AckPolicy::None;
                config.max_deliver = NonZeroU32::new(2);
            }),
            why(|config| {
                config.ack = AckPolicy::None;
                config.backoff = vec![Duration::from_secs(1)];
            }),
        ] {
            assert!(set.contains("acknowledges nothing"), "{set}");
        }
        let mut request = SubscribeRequest::new("S", config());
        assert_eq!(request.check(), Ok(()));
        request.prefetch = Prefetch::Fixed(0);
        assert!(request.check().unwrap_err().contains("at least one"));
    }

    #[test]
    fn filters_are_there_and_do_not_overlap() {
        let mut config = config();
        assert_eq!(config.check_filters(), Ok(()));
        config.filters.push(Pattern::parse("a.b").unwrap());
        let overlap = config.check_filters().unwrap_err();
        assert!(overlap.contains("> and a.b overlap"), "{overlap}");
        config.filters.clear();
        assert_eq!(
            config.check_filters(),
            Err(ConsumerConfig::NO_FILTER.to_owned())
        );
    }
}

//! Binding rule of all transports: compares filters and ack policy of an existing durable with what
//! is wanted, refuses a mismatch, and lists the differences to follow (`BoundConsumer`).

use super::coverage::covered;
use super::{ConsumerConfig, ConsumerName};
use crate::subject::Pattern;
use crate::transport::{Difference, Error, ErrorKind, Operation};

/// The consumer that a subscription has bound.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BoundConsumer {
    /// The settings of the consumer, which apply to the subscription.
    pub config: ConsumerConfig,
    /// The settings that differ from the requested ones. The start position is not compared,
    /// because it matters only when a consumer is created.
    pub differences: Vec<Difference>,
    /// Whether binding created it.
    pub created: bool,
}

impl BoundConsumer {
    /// A consumer that was created with the requested settings.
    #[must_use]
    pub fn created(config: ConsumerConfig) -> Self {
        Self {
            config,
            differences: Vec::new(),
            created: true,
        }
    }

    /// An existing consumer, with the settings that differ from the requested ones.
    #[must_use]
    pub fn found(config: ConsumerConfig, differences: Vec<Difference>) -> Self {
        Self {
            config,
            differences,
            created: false,
        }
    }

    /// The filters of the consumer that match subjects which `wanted` does not match.
    pub fn beyond<'a>(&'a self, wanted: &'a [Pattern]) -> impl Iterator<Item = &'a Pattern> {
        let filters = self.config.filters.iter();
        filters.filter(|filter| !covered(filter, wanted))
    }
}

impl ConsumerConfig {
    /// Binds this existing consumer for a subscription that requested `wanted`.
    ///
    /// Differences in settings that the transport enforces become [`BoundConsumer::differences`]:
    /// the subscription follows the settings of the consumer. `unusable` are differences that this
    /// type cannot express and that no subscription can follow, such as a consumer that pushes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConsumerMismatch`] with the differences that would lose or misread messages:
    /// filters that do not cover the requested ones, another ack policy, a limited lifetime if a
    /// durable was requested, and everything in `unusable`.
    pub fn bind(&self, wanted: &Self, unusable: Vec<Difference>) -> Result<BoundConsumer, Error> {
        let differences = self.differences(wanted);
        let (mut fatal, followed): (Vec<_>, Vec<_>) =
            differences
                .into_iter()
                .partition(|difference| match difference.field {
                    Self::FILTERS => !self.missing(wanted).is_empty(),
                    Self::ACK_POLICY => true,
                    Self::LIFETIME => matches!(wanted.name, ConsumerName::Durable(_)),
                    _ => false,
                });
        // Words of the transport are more exact than ours.
        fatal.retain(|ours| unusable.iter().all(|theirs| theirs.field != ours.field));
        fatal.extend(unusable);
        if fatal.is_empty() {
            return Ok(BoundConsumer::found(self.clone(), followed));
        }
        Err(self.mismatch(wanted, fatal))
    }

    /// The filters of `wanted` that match subjects which this consumer does not receive.
    #[must_use]
    pub fn missing(&self, wanted: &Self) -> Vec<Pattern> {
        let filters = wanted.filters.iter();
        let missing = filters.filter(|filter| !covered(filter, &self.filters));
        missing.cloned().collect()
    }

    fn mismatch(&self, wanted: &Self, differences: Vec<Difference>) -> Error {
        let reasons: Vec<String> = differences
            .iter()
            .map(|difference| self.consequence(wanted, difference))
            .collect();
        let remedy = if differences.iter().all(|one| one.field == Self::FILTERS) {
            "deploy the change with `apply`, which keeps the position, or use another name"
        } else {
            "use another name, or migrate: create a durable of another name that starts behind the last settled message, move the subscribers to it, delete this one"
        };
        let reason = format!(
            "a consumer of this name exists and cannot serve this subscription: {}; {remedy}",
            reasons.join("; ")
        );
        let kind = ErrorKind::ConsumerMismatch { differences };
        let error = Error::new(kind, Operation::Subscribe, reason);
        match &wanted.name {
            ConsumerName::Durable(name) | ConsumerName::Group(name) => {
                error.at_consumer(name.clone())
            }
            ConsumerName::Ephemeral => error,
        }
    }

    /// What a difference means for whoever would subscribe all the same.
    fn consequence(&self, wanted: &Self, difference: &Difference) -> String {
        match difference.field {
            Self::FILTERS => {
                let missing = list(&self.missing(wanted));
                let filters = list(&self.filters);
                if missing.is_empty() {
                    return difference.to_string();
                }
                format!(
                    "its filters {filters} do not cover {missing}, whose messages would never arrive"
                )
            }
            Self::ACK_POLICY => {
                format!("{difference}, so that messages would be lost or delivered for ever")
            }
            Self::LIFETIME => format!(
                "{difference}: the server removes it when nobody has asked it for messages for a while, and its position with it"
            ),
            _ => difference.to_string(),
        }
    }

    /// The name of a difference in lifetime.
    pub const LIFETIME: &'static str = "lifetime";
    /// The name of a difference in filters.
    pub const FILTERS: &'static str = "filters";
    /// The name of a difference in the ack policy.
    pub const ACK_POLICY: &'static str = "ack policy";
    /// What a consumer delivers if it leaves out bodies. Applying a configuration changes this.
    pub const HEADERS_ONLY: &'static str = "headers only";
}

fn list(patterns: &[Pattern]) -> String {
    let patterns: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
    patterns.join(", ")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::transport::{AckPolicy, DeliverPolicy};

    fn with(filters: &[&str]) -> ConsumerConfig {
        let filters = filters
            .iter()
            .map(|text| Pattern::parse(text.to_string()).unwrap());
        ConsumerConfig::new(ConsumerName::Durable("d".into()), filters.collect())
    }

    #[test]
    fn a_durable_is_not_served_by_a_consumer_that_ends() {
        let durable = with(&["a.>"]);
        let mut group = durable.clone();
        group.name = ConsumerName::Group("d".into());
        let error = group.bind(&durable, Vec::new()).unwrap_err();
        let ErrorKind::ConsumerMismatch { differences } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(differences[0].field, ConsumerConfig::LIFETIME);
        assert!(error.to_string().contains("position"), "{error}");
        // The other way round nothing is lost.
        assert!(durable.bind(&group, Vec::new()).is_ok());
    }

    #[test]
    fn settings_that_the_transport_enforces_are_followed() {
        let existing = with(&["a.>"]);
        let mut wanted = with(&["a.b"]);
        wanted.ack_wait *= 2;
        wanted.max_deliver = NonZeroU32::new(9);
        wanted.max_ack_pending = None;
        wanted.backoff = vec![Duration::from_secs(1)];
        wanted.deliver = DeliverPolicy::ByStartTime(Timestamp::UNIX_EPOCH);
        let bound = existing.bind(&wanted, Vec::new()).unwrap();
        assert_eq!(bound.config, existing);
        let fields: Vec<_> = bound.differences.iter().map(|one| one.field).collect();
        assert_eq!(
            fields,
            [
                "filters",
                "ack wait",
                "max deliver",
                "max ack pending",
                "backoff"
            ]
        );
        let beyond: Vec<_> = bound.beyond(&wanted.filters).collect();
        assert_eq!(beyond, [&existing.filters[0]]);
    }

    #[test]
    fn what_would_be_lost_is_named() {
        let error = with(&["a.b", "c.>"])
            .bind(&with(&["a.b", "a.c", "c.d"]), Vec::new())
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("do not cover a.c, whose"), "{text}");
        assert!(text.contains("`apply`"), "{text}");
        assert_eq!(error.consumer(), Some("d"));
        let mut unacked = with(&["a.b"]);
        unacked.ack = AckPolicy::None;
        let error = with(&["a.b"]).bind(&unacked, Vec::new()).unwrap_err();
        assert!(!error.to_string().contains("`apply`"), "{error}");
    }
}

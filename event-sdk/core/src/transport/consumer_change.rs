//! `ConsumerChange`: what applying a consumer's configuration changes, and what cannot be
//! changed.

use std::fmt;

use super::difference::{Difference, write_changes};
use super::{ConsumerConfig, ConsumerName, Error, ErrorKind, Operation};

/// The result of [`ConsumerAdmin::apply`](super::ConsumerAdmin::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerChange {
    /// The consumer did not exist, and was created.
    Created,
    /// The consumer existed and was changed. It keeps its position.
    Updated {
        /// The settings that were changed; at least one.
        differences: Vec<Difference>,
    },
    /// The consumer already matched the configuration.
    Unchanged,
}

impl fmt::Display for ConsumerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => f.write_str("created"),
            Self::Unchanged => f.write_str("unchanged"),
            Self::Updated { differences } => write_changes(f, differences),
        }
    }
}

impl ConsumerConfig {
    /// Checks that the configuration can be [applied](super::ConsumerAdmin::apply): that it is a
    /// durable, and that its settings are valid.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`].
    pub fn check_applicable(&self) -> Result<(), Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidOption, Operation::Manage, reason);
        self.check()
            .and_then(|()| self.check_filters())
            .map_err(invalid)?;
        match self.name {
            ConsumerName::Durable(_) => Ok(()),
            ConsumerName::Group(_) | ConsumerName::Ephemeral => Err(invalid(
                "only a durable is applied: a group and an ephemeral consumer are created by their first subscription and end with their last".to_owned(),
            )),
        }
    }

    /// The settings of this existing consumer that must be changed to match `wanted`. `fixed` are
    /// differences that this type cannot express and no transport can change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConsumerMismatch`] with the settings that cannot be changed: the ack policy,
    /// and everything in `fixed`.
    pub fn changes(&self, wanted: &Self, fixed: Vec<Difference>) -> Result<Vec<Difference>, Error> {
        let differences = self.differences(wanted);
        let (mut cannot, can): (Vec<_>, Vec<_>) = differences
            .into_iter()
            .partition(|difference| difference.field == Self::ACK_POLICY);
        cannot.extend(fixed);
        if cannot.is_empty() {
            return Ok(can);
        }
        let list: Vec<String> = cannot.iter().map(ToString::to_string).collect();
        let reason = format!(
            "a consumer of this name exists and cannot become this one: {}; migrate: stop its subscribers, read the position that it has acknowledged (`consumer_info`), apply a durable of another name that starts with the next sequence, move the subscribers to it, delete this one",
            list.join("; ")
        );
        let kind = ErrorKind::ConsumerMismatch {
            differences: cannot,
        };
        Err(Error::new(kind, Operation::Manage, reason))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Pattern;
    use crate::transport::AckPolicy;

    fn durable() -> ConsumerConfig {
        let name = ConsumerName::Durable("d".into());
        ConsumerConfig::new(name, vec![Pattern::everything()])
    }

    #[test]
    fn what_cannot_be_changed_says_how_to_migrate() {
        let mut wanted = durable();
        wanted.ack_wait = Duration::from_secs(1);
        let differences = durable().changes(&wanted, Vec::new()).unwrap();
        assert_eq!(
            ConsumerChange::Updated { differences }.to_string(),
            "updated: ack wait from 30s to 1s"
        );
        wanted.ack = AckPolicy::None;
        let error = durable().changes(&wanted, Vec::new()).unwrap_err();
        let ErrorKind::ConsumerMismatch { differences } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(differences.len(), 1);
        assert!(error.to_string().contains("migrate: stop"), "{error}");
    }

    #[test]
    fn only_a_durable_is_applied() {
        durable().check_applicable().unwrap();
        for name in [ConsumerName::Group("g".into()), ConsumerName::Ephemeral] {
            let mut config = durable();
            config.name = name;
            let error = config.check_applicable().unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        }
    }
}

//! `ConsumerChange`: what applying a consumer's configuration changes, and what cannot be
//! changed.

use std::fmt;

use super::difference::{Difference, write_changes};
use super::{ConsumerConfig, ConsumerName, Error, ErrorKind, Operation};

/// What [`ConsumerAdmin::apply`](super::ConsumerAdmin::apply) has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerChange {
    /// There was no consumer of this name; now there is.
    Created,
    /// There was one, which differed in this; now it does not. It is where it was.
    Updated {
        /// In what it differed, at least one thing.
        differences: Vec<Difference>,
    },
    /// There was one, just as it should be.
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
    /// Whether it can be [applied](super::ConsumerAdmin::apply): whether it is a durable and
    /// does not contradict itself.
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

    /// In what this consumer, which exists, has to be changed to be as `wanted` says.
    /// `fixed` are differences in what this type has no words for and no transport can
    /// change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConsumerMismatch`] with what cannot be changed: the ack policy, and
    /// whatever is `fixed`.
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

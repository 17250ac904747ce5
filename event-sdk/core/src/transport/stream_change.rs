//! `StreamChange`: what applying a stream's configuration created or changed, and which changes
//! are impossible.

use std::fmt;

use super::Capability;
use super::capability::asked;
use super::difference::{Difference, Differences, Limit, sorted, write_changes};
use crate::stream::{Compression, Retention, StreamConfig};

/// The result of [`StreamAdmin::apply`](super::StreamAdmin::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamChange {
    /// The stream was created.
    Created,
    /// The stream existed and was changed.
    Updated {
        /// The changed settings, at least one.
        differences: Vec<Difference>,
    },
    /// The stream already matched the configuration.
    Unchanged,
}

impl fmt::Display for StreamChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => f.write_str("created"),
            Self::Unchanged => f.write_str("unchanged"),
            Self::Updated { differences } => write_changes(f, differences),
        }
    }
}

impl StreamConfig {
    /// The capabilities that the settings need. A transport that lacks one of them refuses to
    /// [apply](super::StreamAdmin::apply) the configuration with
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        let deduplication = self.deduplication.window;
        asked([
            (
                Capability::RetentionByAck,
                self.retention != Retention::Limits,
            ),
            (Capability::DeduplicationOff, deduplication.is_zero()),
            (
                Capability::Compression,
                self.compression != Compression::None,
            ),
            (Capability::Scheduler, self.schedules),
        ])
    }

    /// The settings of this existing stream that differ from `wanted`.
    #[must_use]
    pub fn differences(&self, wanted: &Self) -> Vec<Difference> {
        let mut differences = Differences::default();
        let mut compare = |field, existing: &dyn fmt::Debug, wanted: &dyn fmt::Debug| {
            differences.compare(field, existing, wanted);
        };
        let (has, wants) = (&self.limits, &wanted.limits);
        compare("name", &self.name, &wanted.name);
        compare(
            "subjects",
            &sorted(&self.subjects),
            &sorted(&wanted.subjects),
        );
        compare(
            "max messages",
            &Limit(&has.messages),
            &Limit(&wants.messages),
        );
        compare(
            "max messages per subject",
            &Limit(&has.messages_per_subject),
            &Limit(&wants.messages_per_subject),
        );
        compare("max bytes", &Limit(&has.bytes), &Limit(&wants.bytes));
        compare("max age", &Limit(&has.age), &Limit(&wants.age));
        compare(
            "max message size",
            &Limit(&has.message_size),
            &Limit(&wants.message_size),
        );
        compare("discard", &has.discard, &wants.discard);
        compare(
            "duplicate window",
            &self.deduplication.window,
            &wanted.deduplication.window,
        );
        compare(
            "duplicate capacity",
            &self.deduplication.capacity,
            &wanted.deduplication.capacity,
        );
        compare("retention", &self.retention, &wanted.retention);
        compare("storage", &self.storage, &wanted.storage);
        compare("replicas", &self.replicas, &wanted.replicas);
        compare("compression", &self.compression, &wanted.compression);
        compare("schedules", &self.schedules, &wanted.schedules);
        differences.into_found()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::StreamChange;
    use crate::stream::{Compression, Discard, Retention, Storage, StreamConfig, StreamSpec};

    fn config(stream: &StreamSpec) -> StreamConfig {
        stream.config("events").unwrap()
    }

    fn orders() -> StreamSpec {
        StreamSpec::new("ORDERS")
            .subject("orders.>")
            .subject("carts.*")
    }

    #[test]
    fn each_setting_is_a_difference_of_its_own() {
        let second = Duration::from_secs(1);
        let existing = config(&orders());
        for (field, wanted) in [
            (
                "name",
                StreamSpec::new("O").subject("orders.>").subject("carts.*"),
            ),
            ("subjects", StreamSpec::new("ORDERS").subject("orders.>")),
            ("max messages", orders().max_messages(1)),
            (
                "max messages per subject",
                orders().max_messages_per_subject(1),
            ),
            ("max bytes", orders().max_bytes(1)),
            ("max age", orders().max_age(second)),
            ("max message size", orders().max_message_size(1)),
            ("discard", orders().when_full(Discard::New)),
            ("duplicate window", orders().duplicate_window(second)),
            ("duplicate capacity", orders().duplicate_capacity(1)),
            ("retention", orders().retention(Retention::Interest)),
            ("storage", orders().storage(Storage::Memory)),
            ("replicas", orders().replicas(3)),
            ("compression", orders().compression(Compression::S2)),
            ("schedules", orders().schedules()),
        ] {
            let differences = existing.differences(&config(&wanted));
            let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
            assert_eq!(fields, [field]);
        }
    }

    #[test]
    fn the_order_of_subjects_is_no_difference() {
        let turned = StreamSpec::new("ORDERS")
            .subject("carts.*")
            .subject("orders.>");
        assert_eq!(config(&orders()).differences(&config(&turned)), []);
    }

    #[test]
    fn a_change_says_what_it_was() {
        let wanted = config(&orders().max_messages(9).replicas(3));
        let differences = config(&orders()).differences(&wanted);
        assert_eq!(
            StreamChange::Updated { differences }.to_string(),
            "updated: max messages from no limit to 9; replicas from 1 to 3"
        );
    }
}

//! `StreamChange`: what applying a stream's configuration created or changed, and which changes
//! are impossible.

use std::fmt;
use std::time::Duration;

use super::Capability;
use super::capability::asked;
use super::difference::{Difference, Differences, Limit, sorted, write_changes};
use crate::stream::{Compression, Retention, StreamConfig, UpstreamConfig};

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
            (
                Capability::DenyDeletion,
                self.denies_delete() || self.denies_purge(),
            ),
            (Capability::RollUp, self.allow_rollup == Some(true)),
            (Capability::Copies, self.is_copy()),
            (
                Capability::Placement,
                self.placement.as_ref().is_some_and(|it| !it.is_anywhere()),
            ),
        ])
    }

    /// The settings of this existing stream that differ from `wanted`. A placement and the flags
    /// `deny_delete`, `deny_purge` and `allow_rollup` are compared only if `wanted` has them. If
    /// `wanted` leaves the deduplication to the transport
    /// ([`has_window_of_copies`](Self::has_window_of_copies)), a window counts as different if it
    /// is longer than 100 ms, the longest that a transport gives to copies.
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
        if wanted.has_window_of_copies() {
            let has = self.deduplication.window;
            let wants = has.min(LONGEST_OF_COPIES);
            compare("duplicate window", &has, &wants);
        } else {
            let (has, wants) = (&self.deduplication, &wanted.deduplication);
            compare("duplicate window", &has.window, &wants.window);
            compare("duplicate capacity", &has.capacity, &wants.capacity);
        }
        compare("retention", &self.retention, &wanted.retention);
        compare("storage", &self.storage, &wanted.storage);
        compare("replicas", &self.replicas, &wanted.replicas);
        compare("compression", &self.compression, &wanted.compression);
        compare("schedules", &self.schedules, &wanted.schedules);
        for (field, has, wants) in [
            ("deny delete", self.denies_delete(), wanted.deny_delete),
            ("deny purge", self.denies_purge(), wanted.deny_purge),
            ("allow rollup", self.allows_rollup(), wanted.allow_rollup),
        ] {
            compare(field, &has, &wants.unwrap_or(has));
        }
        if let Some(wants) = &wanted.placement {
            let has = self.placement.clone().unwrap_or_default();
            compare(
                "placement cluster",
                &Or(&has.cluster, "any"),
                &Or(&wants.cluster, "any"),
            );
            compare("placement tags", &has.sorted_tags(), &wants.sorted_tags());
        }
        compare("sources", &Listed(&self.sources), &Listed(&wanted.sources));
        match (&self.mirror, &wanted.mirror) {
            (Some(has), Some(wants)) => compare_mirrors(compare, has, wants),
            (has, wants) => compare("mirror", &Or(has, "none"), &Or(wants, "none")),
        }
        differences.into_found()
    }
}

/// The longest duplicate window that a transport gives to a copy: the shortest one of NATS servers that
/// would give it their default.
const LONGEST_OF_COPIES: Duration = Duration::from_millis(100);

/// Compares what a stream mirrors, each setting by its own.
fn compare_mirrors(
    mut compare: impl FnMut(&'static str, &dyn fmt::Debug, &dyn fmt::Debug),
    has: &UpstreamConfig,
    wants: &UpstreamConfig,
) {
    compare(
        "mirror stream",
        &Or(&Some(&has.stream), ""),
        &Or(&Some(&wants.stream), ""),
    );
    for (field, has, wants, without) in [
        (
            "mirror api prefix",
            &has.api_prefix,
            &wants.api_prefix,
            "that of the account",
        ),
        (
            "mirror deliver prefix",
            &has.deliver_prefix,
            &wants.deliver_prefix,
            "that of the server",
        ),
    ] {
        compare(field, &Or(has, without), &Or(wants, without));
    }
    let (first, other) = (Some(has.start), Some(wants.start));
    compare("mirror start", &Or(&first, ""), &Or(&other, ""));
    let all = "all messages";
    compare(
        "mirror filter",
        &Or(&has.filter, all),
        &Or(&wants.filter, all),
    );
    let moved = |of: &UpstreamConfig| {
        let transforms = of.transforms.iter();
        let mut texts: Vec<_> = transforms.map(ToString::to_string).collect();
        texts.sort();
        texts.join(", ")
    };
    let (first, other) = (Some(moved(has)), Some(moved(wants)));
    compare("mirror transforms", &Or(&first, ""), &Or(&other, ""));
}

/// A value as it is displayed, or a text without one.
struct Or<'a, T>(&'a Option<T>, &'static str);

impl<T: fmt::Display> fmt::Debug for Or<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str(self.1),
        }
    }
}

/// Sources in an order of their own: that in which they were listed is no difference.
struct Listed<'a>(&'a [UpstreamConfig]);

impl fmt::Debug for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        texts.sort();
        match texts[..] {
            [] => f.write_str("none"),
            _ => f.write_str(&texts.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::StreamChange;
    use crate::stream::{
        Compression, CopyFrom, Discard, Placement, PlacementConfig, Retention, Storage,
        StreamConfig, StreamSpec, Upstream,
    };

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
            ("deny delete", orders().deny_delete(true)),
            ("deny purge", orders().deny_purge(true)),
            ("allow rollup", orders().allow_rollup(true)),
            (
                "sources",
                orders().sources(const { &[Upstream::of("CARTS")] }),
            ),
            (
                "placement cluster",
                orders().placement(Placement::cluster("eu")),
            ),
            (
                "placement tags",
                orders().placement(Placement::tagged(&["ssd"])),
            ),
        ] {
            let differences = existing.differences(&config(&wanted));
            let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
            assert_eq!(fields, [field]);
        }
    }

    #[test]
    fn each_setting_of_a_mirror_is_a_difference_of_its_own() {
        let mirror = |of: Upstream| config(&StreamSpec::new("COPY").mirror(of));
        let orders = Upstream::of("ORDERS");
        let mut existing = mirror(orders);
        existing.deduplication.window = Duration::ZERO; // as a server has it
        for (field, wanted) in [
            ("mirror stream", Upstream::of("CARTS")),
            ("mirror api prefix", orders.domain("eu")),
            ("mirror deliver prefix", orders.deliver_prefix("eu")),
            ("mirror start", orders.start(CopyFrom::Sequence(7))),
            ("mirror filter", orders.filter("orders.>")),
            ("mirror transforms", orders.moved_to("eu.events")),
        ] {
            let differences = existing.differences(&mirror(wanted));
            let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
            assert_eq!(fields, [field]);
        }
        let promoted = config(&StreamSpec::new("COPY").subject("orders.>"));
        let differences = existing.differences(&promoted);
        let shown: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown.last().map(String::as_str),
            Some("mirror is ORDERS, wanted none")
        );
    }

    #[test]
    fn what_is_not_declared_of_a_copy_is_no_difference() {
        let mut existing =
            config(&StreamSpec::new("COPY").sources(const { &[Upstream::of("ORDERS")] }));
        let wanted = existing.clone();
        existing.deduplication.window = Duration::from_millis(100);
        existing.placement = Some(PlacementConfig::default());
        assert_eq!(existing.differences(&wanted), []);
        let anywhere = Placement::ANYWHERE;
        let anywhere = StreamSpec::of_config(&wanted, "events").placement(anywhere);
        assert_eq!(existing.differences(&config(&anywhere)), []);
        let short =
            StreamSpec::of_config(&wanted, "events").duplicate_window(Duration::from_secs(9));
        assert_eq!(existing.differences(&config(&short)).len(), 1);
        // Set by hand: ids that come twice would be left out.
        existing.deduplication.window = Duration::from_hours(1);
        let [by_hand] = &existing.differences(&wanted)[..] else {
            panic!("{:?}", existing.differences(&wanted));
        };
        assert_eq!(
            by_hand.to_string(),
            "duplicate window is 3600s, wanted 100ms"
        );
    }

    #[test]
    fn what_no_copy_can_be_is_refused() {
        let of = Upstream::of("ORDERS");
        let copy = || StreamSpec::new("COPY");
        for (wrong, why) in [
            (copy().subject("a").mirror(of), "is a mirror"),
            (
                copy().mirror(of).sources(const { &[Upstream::of("A")] }),
                "is a mirror",
            ),
            (copy().mirror(of).schedules(), "schedules"),
            (copy().mirror(Upstream::of("COPY")), "its own messages"),
            (
                copy().sources(const { &[Upstream::of("A"), Upstream::of("A")] }),
                "twice",
            ),
            (copy().mirror(of.domain("e u")), "`e u`"),
            (copy().mirror(of.filter("a..b")), "`a..b`"),
            (copy().mirror(of).placement(Placement::tagged(&[""])), "tag"),
        ] {
            let error = wrong.config("events").unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let elsewhere = copy().mirror(Upstream::of("COPY").domain("eu"));
        assert!(elsewhere.config("events").is_ok());
        // Other programs name their streams as their server lets them.
        for original in [
            "größe",
            "orders@eu",
            "a b",
            "a.b",
            "a*",
            "a>",
            "a/b",
            "a\\b",
            "",
        ] {
            let copied = copy().mirror(Upstream::of(original)).config("events");
            assert_eq!(
                copied.is_ok(),
                ["größe", "orders@eu"].contains(&original),
                "{original}"
            );
        }
    }

    #[test]
    fn a_flag_that_is_not_declared_is_no_difference() {
        let plain = config(&orders());
        let denying = config(&orders().deny_delete(true).deny_purge(true));
        let rolling = config(&orders().allow_rollup(true));
        assert_eq!(denying.differences(&plain), []);
        assert_eq!(rolling.differences(&plain), []);
        let allowing = orders().deny_delete(false).deny_purge(false);
        let allowing = config(&allowing.allow_rollup(false));
        assert_eq!(plain.differences(&allowing), []);
        let shown = |existing: &StreamConfig| {
            let differences = existing.differences(&allowing);
            let shown: Vec<_> = differences.iter().map(ToString::to_string).collect();
            shown.join("; ")
        };
        assert_eq!(
            shown(&denying),
            "deny delete is true, wanted false; deny purge is true, wanted false"
        );
        assert_eq!(shown(&rolling), "allow rollup is true, wanted false");
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

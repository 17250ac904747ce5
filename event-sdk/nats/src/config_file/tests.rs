//! Round trips of random configurations, and what a file may say that we do not have.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use event_sdk_core::stream::{
    Compression, CopyFrom, Discard, PlacementConfig, Retention, Storage, StreamSpec,
    SubjectTransform, UpstreamConfig,
};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{AckPolicy, DeliverPolicy};

/// A number that a limit may have, or none.
fn limit() -> impl Strategy<Value = Option<NonZeroU64>> {
    prop_oneof![Just(None), (1..=i64::MAX as u64).prop_map(NonZeroU64::new)]
}

fn small() -> impl Strategy<Value = Option<NonZeroU32>> {
    prop_oneof![Just(None), (1..=u32::MAX).prop_map(NonZeroU32::new)]
}

/// Whole nanoseconds, up to 292 years.
fn time() -> impl Strategy<Value = Duration> {
    (1..=i64::MAX as u64).prop_map(Duration::from_nanos)
}

fn patterns() -> impl Strategy<Value = Vec<Pattern>> {
    prop::sample::subsequence(vec!["events.a.>", "events.b.*", "c.d", "events.e"], 1..4).prop_map(
        |texts| {
            texts
                .into_iter()
                .map(|text| Pattern::parse(text).unwrap())
                .collect()
        },
    )
}

fn pattern() -> impl Strategy<Value = Pattern> {
    patterns().prop_map(|mut patterns| patterns.remove(0))
}

fn start() -> impl Strategy<Value = CopyFrom> {
    prop_oneof![
        Just(CopyFrom::Oldest),
        (1..=u64::MAX).prop_map(CopyFrom::Sequence),
        (0..2_000_000_000_i64, 0..1_000_000_000_i32).prop_map(|(second, nanosecond)| {
            CopyFrom::Time(jiff::Timestamp::new(second, nanosecond).unwrap())
        }),
    ]
}

prop_compose! {
    fn upstream()(
        stream in "[A-Za-z0-9_-]{1,9}",
        prefixes in (
            prop::option::of("\\$JS\\.[A-Z]{1,3}\\.API"),
            prop::option::of("[a-z]{1,3}(\\.[a-z]{1,3})?"),
        ),
        start in start(),
        filter in prop::option::of(pattern()),
        moved in prop::option::of((pattern(), "[a-z]{1,3}\\.(>|\\{\\{wildcard\\(1\\)\\}\\})")),
    ) -> UpstreamConfig {
        let mut config = UpstreamConfig::new(stream);
        config.api_prefix = prefixes.0.map(Text::from);
        config.deliver_prefix = prefixes.1.map(Text::from);
        config.start = start;
        match moved {
            Some((from, to)) => config.transforms.push(SubjectTransform { from, to: to.into() }),
            None => config.filter = filter,
        }
        config
    }
}

/// A mirror, or sources and subjects.
fn copies() -> impl Strategy<Value = (Option<UpstreamConfig>, Vec<UpstreamConfig>, usize)> {
    prop_oneof![
        3 => Just((None, Vec::new(), 9)),
        1 => upstream().prop_map(|mirror| (Some(mirror), Vec::new(), 0)),
        1 => (prop::collection::vec(upstream(), 1..3), 0..4_usize)
            .prop_map(|(sources, subjects)| (None, sources, subjects)),
    ]
}

fn placement() -> impl Strategy<Value = Option<PlacementConfig>> {
    let cluster = prop::option::of("[a-z]{1,4}");
    let tags = prop::collection::vec("[a-z]{1,4}:[a-z]{1,4}", 0..3);
    prop::option::of((cluster, tags)).prop_map(|placement| {
        let (cluster, tags) = placement?;
        let mut placement = PlacementConfig::default();
        placement.cluster = cluster.map(Text::from);
        placement.tags = tags.into_iter().map(Text::from).collect();
        // No placement, as a server writes it.
        Some(placement).filter(|placement| !placement.is_anywhere())
    })
}

prop_compose! {
    fn streams()(
        subjects in patterns(),
        copies in copies(),
        placement in placement(),
        limits in (limit(), limit(), limit(), limit(), prop::option::of(time())),
        window in time(),
        choices in (0..2_usize, 0..3_usize, 0..2_usize, 0..2_usize, 1..=5_u8, any::<bool>()),
        flags in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) -> StreamConfig {
        let mut config = StreamConfig::new("ORDERS", subjects);
        let (messages, per_subject, bytes, size, age) = limits;
        config.limits.messages = messages;
        config.limits.messages_per_subject = per_subject;
        config.limits.bytes = bytes;
        config.limits.message_size = size;
        config.limits.age = age;
        config.deduplication.window = age.map_or(window, |age| age.min(window));
        let (discard, retention, storage, compression, replicas, schedules) = choices;
        config.limits.discard = [Discard::Old, Discard::New][discard];
        config.retention = [Retention::Limits, Retention::Interest, Retention::WorkQueue][retention];
        config.storage = [Storage::File, Storage::Memory][storage];
        config.compression = [Compression::None, Compression::S2][compression];
        config.replicas = replicas;
        let (mirror, sources, subjects) = copies;
        config.subjects.truncate(subjects);
        config.mirror = mirror;
        config.sources = sources;
        config.placement = placement;
        config.schedules = schedules && discard == 0 && retention != 1 && !config.is_copy();
        // What is not set is not said, as a server has it.
        let (deletion, purge, rollup) = flags;
        config.deny_delete = deletion.then_some(true);
        config.deny_purge = (purge && !config.schedules).then_some(true);
        config.allow_rollup = (rollup && !purge && !config.schedules).then_some(true);
        if config.is_copy() && config.subjects.is_empty() && window.subsec_nanos() % 2 == 0 {
            // As it is left to the transport, whatever the age.
            config.deduplication.window = Deduplication::DEFAULT.window;
            config.limits.age = None;
        }
        config
    }
}

prop_compose! {
    fn durables()(
        filters in patterns(),
        deliver in prop_oneof![
            Just(DeliverPolicy::All),
            Just(DeliverPolicy::Last),
            Just(DeliverPolicy::LastPerSubject),
            Just(DeliverPolicy::New),
            (1..u64::MAX).prop_map(DeliverPolicy::ByStartSequence),
            (0..2_000_000_000_i64).prop_map(|second| {
                DeliverPolicy::ByStartTime(jiff::Timestamp::from_second(second).unwrap())
            }),
        ],
        ack in 0..2_usize,
        ack_wait in time(),
        max_deliver in small(),
        max_ack_pending in small(),
        backoff in prop::collection::vec(time(), 0..4),
    ) -> ConsumerConfig {
        let name = ConsumerName::Durable("billing".into());
        let mut config = ConsumerConfig::new(name, filters);
        config.deliver = deliver;
        config.ack = [AckPolicy::Explicit, AckPolicy::All][ack];
        config.ack_wait = ack_wait;
        config.max_deliver = max_deliver;
        config.max_ack_pending = max_ack_pending;
        config.backoff = backoff;
        config
    }
}

proptest! {
    #[test]
    fn a_stream_comes_back(config in streams()) {
        prop_assume!(config.check().is_ok());
        let exported = export_stream(&config);
        prop_assert_eq!(&exported.left_out, &[]);
        let imported = import_stream(&exported.json).unwrap();
        prop_assert_eq!(&imported.config, &config);
        prop_assert_eq!(&imported.left_out, &[]);
        // As `nats stream info --json` shows it.
        let shown = format!(r#"{{"config":{},"state":{{}}}}"#, exported.json);
        prop_assert_eq!(&import_stream(&shown).unwrap().config, &config);
        let spec = StreamSpec::of_config(&config, "events");
        let mut declared = spec.config("events").unwrap();
        let sorted = |config: &mut StreamConfig| {
            config.subjects.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        };
        let mut config = config;
        sorted(&mut declared);
        sorted(&mut config);
        prop_assert_eq!(declared, config);
    }

    #[test]
    fn a_durable_comes_back(config in durables()) {
        // What a durable cannot be is refused on both ways.
        let exported = export_consumer(&config);
        let imported = import_consumer(&exported.json);
        prop_assert_eq!(imported.is_ok(), config.check_applicable().is_ok());
        if let Ok(imported) = imported {
            prop_assert_eq!(imported.config, config);
            prop_assert_eq!(imported.left_out, []);
        }
    }
}

fn stream(more: &str) -> Result<Imported<StreamConfig>, ImportError> {
    import_stream(&format!(r#"{{"name":"S","subjects":["s.>"]{more}}}"#))
}

fn fields(left_out: &[ForeignSetting]) -> Vec<String> {
    left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_declaration_cannot_say_is_listed() {
    let plain = stream("").unwrap();
    assert_eq!(plain.left_out, []);
    assert_eq!(
        plain.config,
        StreamConfig::new("S", plain.config.subjects.clone())
    );
    let defaults = r#","max_consumers":-1,"sealed":false,"description":"","placement":{},
        "consumer_limits":{},"metadata":{"_nats.ver":"2.15.1"},"allow_direct":true,"mirror":null,
        "sources":[],"first_seq":0,"persist_mode":"default""#;
    assert_eq!(stream(defaults).unwrap().left_out, []);
    let more = r#","description":"by hand","max_consumers":3,"deny_delete":true,
        "metadata":{"team":"shop"},"placement":{"tags":["eu"],"preferred":"n1"},"republish":{"src":"s.>","dest":"t.>"},
        "allow_direct":false,"allow_msg_ttl":true,"something_new":7"#;
    let imported = stream(more).unwrap();
    assert_eq!(
        fields(&imported.left_out),
        [
            "allow_direct: false",
            "allow_msg_ttl: true",
            r#"description: "by hand""#,
            "max_consumers: 3",
            r#"metadata: {"team":"shop"}"#,
            r#"republish: {"dest":"t.>","src":"s.>"}"#,
            "something_new: 7",
            r#"placement.preferred: "n1""#,
        ]
    );
    assert_eq!(imported.config.deny_delete, Some(true));
    let copy = r#"{"name":"S","mirror":{"name":"T","consumer":{"name":"c"}},"mirror_direct":true}"#;
    let copy = import_stream(copy).unwrap();
    assert_eq!(fields(&copy.left_out), [r#"mirror.consumer: {"name":"c"}"#]);
    assert_eq!(copy.config.mirror, Some(UpstreamConfig::new("T")));
    let durable = r#"{"durable_name":"d","ack_policy":"explicit","replay_policy":"original",
        "deliver_policy":"all","max_waiting":512,"headers_only":true,"num_replicas":1,"description":"x"}"#;
    assert_eq!(
        fields(&import_consumer(durable).unwrap().left_out),
        [
            r#"description: "x""#,
            "headers_only: true",
            "num_replicas: 1",
            r#"replay_policy: "original""#,
        ]
    );
}

#[test]
fn what_no_server_has_is_listed() {
    let mut config = stream("").unwrap().config;
    config.deduplication.window = Duration::ZERO;
    config.deduplication.capacity = 7;
    let exported = export_stream(&config);
    assert_eq!(
        fields(&exported.left_out),
        ["duplicate_window: 0", "duplicate_capacity: 7"]
    );
}

#[test]
fn what_would_be_something_else_is_an_error() {
    for (more, field) in [
        (r#","max_age":"1h""#, "max_age"),
        (r#","max_msgs":1.5"#, "max_msgs"),
        (r#","subjects":"s.>""#, "subjects"),
        (r#","retention":"forever""#, "config"),
        (r#","num_replicas":9"#, "config"),
        (r#","mirror":{"name":"T"}"#, "config"),
        (r#","mirror":"T""#, "mirror"),
        (r#","sources":{"name":"T"}"#, "sources"),
        (r#","sources":[{}]"#, "config"),
        (
            r#","sources":[{"name":"T","opt_start_time":"now"}]"#,
            "config",
        ),
        (r#","placement":["ssd"]"#, "placement"),
    ] {
        let error = stream(more).unwrap_err();
        let ImportError::Invalid { field: found, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(found, field, "{error}");
    }
    for file in ["", "[]", "7", r#"{"config":7}"#, "name: S"] {
        let error = import_stream(file).unwrap_err();
        assert!(matches!(error, ImportError::NotJson { .. }), "{error}");
    }
    for (file, field) in [
        (
            r#"{"durable_name":"d","deliver_subject":"x"}"#,
            "deliver_subject",
        ),
        (
            r#"{"durable_name":"d","ack_policy":"flow_control"}"#,
            "ack_policy",
        ),
        (r#"{"name":"d","ack_policy":"explicit"}"#, "durable_name"),
        (
            r#"{"durable_name":"d","filter_subject":"a b"}"#,
            "filter_subjects",
        ),
        (r#"{"durable_name":"d","ack_wait":"30s"}"#, "config"),
    ] {
        let error = import_consumer(file).unwrap_err();
        let (ImportError::Invalid { field: found, .. }
        | ImportError::Unsupported { field: found, .. }) = &error
        else {
            panic!("{error}");
        };
        assert_eq!(found, field, "{error}");
    }
}

#[test]
fn a_consumer_without_a_limit_of_unsettled_messages_has_the_servers() {
    let limit = |fields: &str| {
        let file = format!(r#"{{"durable_name":"d","deliver_policy":"all"{fields}}}"#);
        let limit = import_consumer(&file).unwrap().config.max_ack_pending;
        limit.map(NonZeroU32::get)
    };
    let explicit = r#","ack_policy":"explicit""#;
    assert_eq!(limit(explicit), Some(1000));
    assert_eq!(
        limit(&format!(r#"{explicit},"max_ack_pending":0"#)),
        Some(1000)
    );
    assert_eq!(
        limit(&format!(r#"{explicit},"max_ack_pending":7"#)),
        Some(7)
    );
    assert_eq!(limit(&format!(r#"{explicit},"max_ack_pending":-1"#)), None);
}

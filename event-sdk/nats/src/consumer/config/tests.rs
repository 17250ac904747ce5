//! Consumer configurations: written as a server reads them, and compared with what a server
//! has.

use event_sdk_core::transport::ErrorKind;

use super::*;

const INACTIVE: Duration = Duration::from_mins(5);

fn durable() -> ConsumerConfig {
    let filters = ["a.*", "b.>"].map(|filter| Pattern::parse(filter).unwrap());
    let name = ConsumerName::Durable("d".into());
    ConsumerConfig::new(name, filters.to_vec())
}

/// What a server says of the consumer that it made of this.
fn as_server_has_it(config: &ConsumerConfig) -> Wire {
    let mut wire = Wire::wanted(config, INACTIVE);
    if let Some(first) = wire.backoff.first() {
        wire.ack_wait = *first;
    }
    let json = serde_json::to_string(&wire).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// In what the consumer differs, whether that is followed or refused.
fn differences(existing: &Wire, wanted: &ConsumerConfig) -> Vec<Difference> {
    match existing.bind(wanted) {
        Ok(bound) => bound.differences,
        Err(error) => match error.kind() {
            ErrorKind::ConsumerMismatch { differences } => differences.clone(),
            _ => panic!("{error}"),
        },
    }
}

fn fields(differences: &[Difference]) -> Vec<&str> {
    differences
        .iter()
        .map(|difference| difference.field)
        .collect()
}

#[test]
fn a_configuration_is_written_as_servers_read_it() {
    let mut config = durable();
    config.max_deliver = NonZeroU32::new(5);
    config.deliver = DeliverPolicy::ByStartSequence(7);
    config.backoff = vec![Duration::from_secs(1), Duration::from_secs(5)];
    config.filters.truncate(1);
    let wire = Wire::wanted(&config, INACTIVE);
    assert_eq!(
        serde_json::to_value(&wire).unwrap(),
        serde_json::json!({
            "durable_name": "d",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": 7,
            "ack_policy": "explicit",
            "ack_wait": 30_000_000_000_u64,
            "max_deliver": 5,
            "backoff": [1_000_000_000, 5_000_000_000_u64],
            "filter_subject": "a.*",
            "replay_policy": "instant",
            "max_ack_pending": 1000,
        })
    );
    assert_eq!(wire.single_filter(), Some("a.*"));
}

#[test]
fn only_a_durable_stays_when_nobody_uses_it() {
    let mut config = durable();
    for (name, inactive) in [
        (ConsumerName::Durable("d".into()), 0),
        (ConsumerName::Group("d".into()), 300_000_000_000),
        (ConsumerName::Ephemeral, 300_000_000_000),
    ] {
        config.name = name;
        let wire = Wire::wanted(&config, INACTIVE);
        assert_eq!(wire.inactive_threshold, inactive, "{:?}", config.name);
        assert_eq!(wire.durable_name.is_some(), config.name.as_str().is_some());
    }
}

#[test]
fn what_was_created_is_no_other() {
    let time: Timestamp = "2025-11-21T04:00:00.123456789Z".parse().unwrap();
    let mut configs = vec![durable()];
    for deliver in [
        DeliverPolicy::Last,
        DeliverPolicy::LastPerSubject,
        DeliverPolicy::New,
        DeliverPolicy::ByStartSequence(9),
        DeliverPolicy::ByStartTime(time),
    ] {
        let mut config = durable();
        config.deliver = deliver;
        configs.push(config);
    }
    let mut config = durable();
    config.max_deliver = NonZeroU32::new(3);
    config.max_ack_pending = None;
    config.filters.reverse();
    configs.push(config.clone());
    config.backoff = vec![Duration::from_secs(1), Duration::from_secs(5)];
    configs.push(config.clone());
    config.name = ConsumerName::Group("g".into());
    configs.push(config);
    let mut config = durable();
    config.ack = AckPolicy::None;
    configs.push(config);
    let mut config = durable();
    config.ack_wait = Duration::MAX;
    configs.push(config);
    for config in configs {
        assert_eq!(
            differences(&as_server_has_it(&config), &config),
            [],
            "{config:?}"
        );
    }
}

#[test]
fn what_differs_is_named() {
    let existing = as_server_has_it(&durable());
    let differs = |change: &dyn Fn(&mut ConsumerConfig)| {
        let mut wanted = durable();
        change(&mut wanted);
        fields(&differences(&existing, &wanted)).join(", ")
    };
    assert_eq!(differs(&|wanted| wanted.filters.truncate(1)), "filters");
    assert_eq!(
        differs(&|wanted| wanted.ack = AckPolicy::None),
        "ack policy"
    );
    assert_eq!(differs(&|wanted| wanted.ack_wait *= 2), "ack wait");
    assert_eq!(
        differs(&|wanted| wanted.max_ack_pending = None),
        "max ack pending"
    );
    assert_eq!(
        differs(&|wanted| wanted.max_deliver = NonZeroU32::new(2)),
        "max deliver"
    );
    assert_eq!(
        differs(&|wanted| wanted.deliver = DeliverPolicy::ByStartSequence(1)),
        ""
    );
    assert_eq!(
        differs(&|wanted| wanted.name = ConsumerName::Group("d".into())),
        "lifetime"
    );
    assert_eq!(
        differs(&|wanted| wanted.backoff = vec![Duration::from_secs(1)]),
        "backoff"
    );
}

#[test]
fn what_this_sdk_has_no_words_for_is_a_difference() {
    let wanted = durable();
    let mut existing = as_server_has_it(&wanted);
    existing.deliver_subject = Some("push.here".to_owned());
    existing.headers_only = true;
    existing.priority_policy = Some("overflow".to_owned());
    existing.replay_policy = "original".to_owned();
    existing.filter_subjects = vec!["a b".to_owned()];
    existing.ack_policy = WireAck::Another;
    let mut found = differences(&existing, &wanted);
    found.sort_by_key(|difference| difference.field);
    assert_eq!(
        fields(&found),
        [
            "ack policy",
            "delivery",
            "delivery",
            "filters",
            "priority policy",
            "replay policy"
        ]
    );
    existing = as_server_has_it(&wanted);
    existing.ack_policy = WireAck::All;
    assert_eq!(
        differences(&existing, &wanted),
        [Difference {
            field: "ack policy",
            existing: "All".to_owned(),
            wanted: "Explicit".to_owned(),
        }]
    );
    existing = as_server_has_it(&wanted);
    existing.deliver_subject = Some(String::new());
    existing.priority_policy = Some("none".to_owned());
    assert_eq!(differences(&existing, &wanted), []);
}

#[test]
fn no_filter_is_every_subject() {
    let mut wanted = durable();
    wanted.filters = vec![Pattern::everything()];
    let mut existing = as_server_has_it(&wanted);
    existing.filter_subject.clear();
    assert_eq!(differences(&existing, &wanted), []);
    assert_eq!(existing.single_filter(), None);
}

#[test]
fn the_limits_of_a_request_are_read() {
    let mut wire = as_server_has_it(&durable());
    assert_eq!((wire.max_batch(), wire.max_expires()), (None, None));
    wire.max_batch = 10;
    wire.max_expires = 5_000_000_000;
    assert_eq!(wire.max_batch(), Some(10));
    assert_eq!(wire.max_expires(), Some(Duration::from_secs(5)));
}

#[test]
fn a_duration_beyond_all_times_is_the_longest() {
    assert_eq!(nanos(Duration::MAX), i64::MAX);
    assert_eq!(duration(-1), Duration::ZERO);
    assert_eq!(limit(i64::MAX), NonZeroU32::new(u32::MAX));
}

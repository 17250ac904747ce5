//! The names of other systems: their variables are read where a program asks for it.

use std::collections::HashSet;
use std::time::Duration;

use event_sdk::config::{
    Config, Here, LogLevel, Origin, ProblemKind, Secret, Setting, System, TransportChoice,
    familiar_names, settings,
};

use crate::support::{assert_says, loader};

/// A configuration of variables of another system.
fn of(system: System, variables: &[(&str, &str)]) -> Config {
    let loaded = loader(variables).names_of(system).load();
    loaded.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn fraisier_stays_as_it_is() {
    let config = of(
        System::Fraisier,
        &[
            ("NATS_SERVERS", "nats://nats:4222"),
            ("NATS_USERNAME", "fraisier"),
            ("NATS_PASSWORD", "fraisier_password"),
            ("NATS_TIMEOUT", "5"),
            ("NATS_MAX_RECONNECT_ATTEMPTS", "60"),
            ("NATS_RECONNECT_TIME_WAIT", "2"),
            ("NATS_REGION", "us-east-1"),
            ("DEPLOYMENT_REGIONS", "us-east-1,us-west-2,eu-west-1"),
            ("INTER_REGION_TIMEOUT", "45"),
            ("NATS_DEPLOYMENT_EVENTS_RETENTION", "720"),
            ("ENABLE_EVENT_LOGGING", "true"),
            ("FRAISIER_LOG_LEVEL", "WARNING"),
            ("NATS_TLS_ENABLED", "true"),
        ],
    );
    let nats = &config.nats;
    assert_eq!(nats.url, Some(Secret::from("nats://nats:4222")));
    assert_eq!(nats.user.as_deref(), Some("fraisier"));
    assert_eq!(nats.password, Some(Secret::from("fraisier_password")));
    assert_eq!(nats.connect_timeout, Duration::from_secs(5));
    assert_eq!(nats.max_reconnects, 60);
    assert_eq!(nats.reconnect_delay, Duration::from_secs(2));
    assert!(nats.tls);
    assert_eq!(config.region.as_deref(), Some("us-east-1"));
    assert_eq!(config.regions.len(), 3);
    assert_eq!(config.inter_region_timeout, Some(Duration::from_secs(45)));
    assert_eq!(config.log_level, Some(LogLevel::Warn));
    let options = format!("{:?}", config.nats_options().unwrap());
    assert!(options.contains("request_timeout: 45s"), "{options}");
    let of_variable = Origin::Variable("NATS_SERVERS".to_owned());
    assert_eq!(config.origin("nats.url"), Some(&of_variable));
}

#[test]
fn hodei_stays_as_it_is() {
    let nats = of(
        System::Hodei,
        &[
            ("HODEI_EVENT_BUS_TYPE", "nats"),
            ("HODEI_NATS_URL", "nats://localhost:4222"),
            ("HODEI_NATS_TIMEOUT_MS", "2500"),
        ],
    );
    assert_eq!(nats.transport, Some(TransportChoice::Nats));
    assert_eq!(nats.nats.connect_timeout, Duration::from_millis(2500));
    let memory = of(
        System::Hodei,
        &[
            ("HODEI_EVENT_BUS_TYPE", "inmemory"),
            ("HODEI_EVENT_BUS_CAPACITY", "20000"),
        ],
    );
    assert_eq!(memory.transport, Some(TransportChoice::Memory));
    assert_eq!(memory.memory.max_messages.unwrap().get(), 20_000);
}

/// Each name of a bus type that its source reads, in any case.
#[test]
fn hodei_names_a_bus_type_in_several_ways() {
    for (names, transport) in [
        (
            &["inmemory", "in-memory", "in_memory", "memory", "InMemory"][..],
            TransportChoice::Memory,
        ),
        (&["nats", "jetstream", "JetStream"], TransportChoice::Nats),
    ] {
        for name in names {
            let variables = [
                ("HODEI_EVENT_BUS_TYPE", *name),
                ("HODEI_NATS_URL", "nats://localhost:4222"),
            ];
            let config = of(System::Hodei, &variables);
            assert_eq!(config.transport, Some(transport), "{name}");
        }
    }
}

#[test]
fn jetstream_bridge_stays_as_it_is() {
    let config = loader(&[
        ("NATS_URLS", "nats+tls://nats1:4222,nats+tls://nats2:4222"),
        ("RAILS_ENV", "production"),
        ("APP_NAME", "myapp"),
        ("DESTINATION_APP", "worker"),
    ])
    .names_of(System::JetstreamBridge)
    .defaults(|config| config.prefix = Some(Config::POINT_TO_POINT.to_owned()))
    .load()
    .unwrap();
    let prefix = config.expanded_prefix().unwrap();
    assert_eq!(prefix.as_deref(), Some("production.myapp.sync.worker"));
    let options = format!("{:?}", config.nats_options().unwrap());
    assert!(options.contains("nats+tls://nats1:4222"), "{options}");
}

#[test]
fn their_names_are_read_only_if_asked_for() {
    let config = loader(&[("NATS_SERVERS", "nats://nats:4222")]).load();
    assert_eq!(config.unwrap().nats.url, None);
}

#[test]
fn two_names_of_one_setting_are_refused() {
    let error = loader(&[
        ("NATS_TIMEOUT", "5"),
        ("EVENT_SDK_NATS__CONNECT_TIMEOUT", "5s"),
    ])
    .names_of(System::Fraisier)
    .load()
    .expect_err("a refusal");
    let both = ["NATS_TIMEOUT", "EVENT_SDK_NATS__CONNECT_TIMEOUT"];
    assert_says(&error, ProblemKind::Conflict, &both);
}

#[test]
fn a_wrong_value_names_their_variable() {
    let error = loader(&[("NATS_TIMEOUT", "soon")])
        .names_of(System::Fraisier)
        .load()
        .expect_err("a refusal");
    assert_says(
        &error,
        ProblemKind::InvalidValue,
        &["NATS_TIMEOUT", "`soon`"],
    );
}

#[test]
fn the_table_names_settings_and_each_name_once() {
    let known: HashSet<_> = settings().iter().map(Setting::name).collect();
    let mut names = HashSet::new();
    for row in familiar_names() {
        assert!(names.insert((row.system, row.name)), "{} twice", row.name);
        if let Here::Setting(setting) | Here::DurationIn(setting, _) | Here::Renamed(setting, _) =
            row.here
        {
            assert!(known.contains(setting), "{}: {setting}", row.name);
        }
    }
}

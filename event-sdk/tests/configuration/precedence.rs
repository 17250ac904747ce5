//! Code that overrides, then environment, file, preset, and defaults of the code.

use std::fs;
use std::path::Path;
use std::time::Duration;

use event_sdk::config::{Config, LogLevel, Origin, Preset, Secret, TransportChoice};

use crate::support::loader;

const SECOND: Duration = Duration::from_secs(1);

fn file(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("billing.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn each_source_replaces_those_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "preset = 'production'\n\n[nats]\nrequest_timeout = '3s'\nack_timeout = '3s'\nping_interval = '3s'\n",
    );
    let config = loader(&[
        ("EVENT_SDK_NATS__ACK_TIMEOUT", "4s"),
        ("EVENT_SDK_NATS__PING_INTERVAL", "4s"),
        ("EVENT_SDK_NATS__URL", "nats://one.example"),
        ("OTHER", "ignored"),
    ])
    .file(&path)
    .defaults(|config| {
        config.nats.connect_timeout = SECOND;
        config.nats.connect_within = SECOND;
        config.nats.request_timeout = SECOND;
        config.nats.ack_timeout = SECOND;
        config.nats.ping_interval = SECOND;
        config.nats.connection_wait = SECOND;
    })
    .override_with(|config| config.nats.ping_interval = 5 * SECOND)
    .load()
    .unwrap();
    let nats = &config.nats;
    for (setting, value, seconds, origin) in [
        ("nats.connect_timeout", nats.connect_timeout, 1, None),
        (
            "nats.connect_within",
            nats.connect_within,
            60,
            Some(Origin::Preset(Preset::Production)),
        ),
        (
            "nats.request_timeout",
            nats.request_timeout,
            3,
            Some(Origin::File {
                path: path.clone(),
                line: 4,
            }),
        ),
        (
            "nats.ack_timeout",
            nats.ack_timeout,
            4,
            Some(Origin::Variable("EVENT_SDK_NATS__ACK_TIMEOUT".to_owned())),
        ),
        (
            "nats.ping_interval",
            nats.ping_interval,
            5,
            Some(Origin::Override),
        ),
    ] {
        assert_eq!(value, seconds * SECOND, "{setting}");
        assert_eq!(config.origin(setting), origin.as_ref(), "{setting}");
    }
    assert_eq!(config.transport, Some(TransportChoice::Nats));
    assert_eq!(config.log_level, Some(LogLevel::Info));
}

#[test]
fn the_environment_chooses_the_file_and_the_preset() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "preset = 'production'\napplication = 'billing'\nregions = ['eu', 'us']\nregion = 'eu'\n",
    );
    let config = loader(&[
        ("EVENT_SDK_CONFIG_FILE", path.to_str().unwrap()),
        ("EVENT_SDK_PRESET", "development"),
    ])
    .file("/does/not/exist.toml")
    .load()
    .unwrap();
    assert_eq!(config.preset, Some(Preset::Development));
    assert_eq!(config.transport, Some(TransportChoice::Memory));
    assert_eq!(config.application.as_deref(), Some("billing"));
    assert_eq!(config.regions, ["eu", "us"]);
}

#[test]
fn white_space_around_a_preset_changes_nothing() {
    let variables = [
        ("EVENT_SDK_PRESET", " production\r"),
        ("EVENT_SDK_NATS__URL", "nats://one.example"),
    ];
    let config = loader(&variables).load().unwrap();
    assert_eq!(config.preset, Some(Preset::Production));
    assert_eq!(config.transport, Some(TransportChoice::Nats));
    assert_eq!(config.nats.connect_within, 60 * SECOND);
}

#[test]
fn presets_are_defaults_of_their_deployment() {
    for (preset, transport, level, within) in [
        ("test", TransportChoice::Memory, LogLevel::Warn, 0),
        ("development", TransportChoice::Memory, LogLevel::Debug, 0),
        ("staging", TransportChoice::Nats, LogLevel::Info, 30),
        ("production", TransportChoice::Nats, LogLevel::Info, 60),
    ] {
        let config = loader(&[
            ("EVENT_SDK_PRESET", preset),
            ("EVENT_SDK_NATS__URL", "nats://one.example"),
        ]);
        let config = config.load().unwrap();
        assert_eq!(config.transport, Some(transport), "{preset}");
        assert_eq!(config.log_level, Some(level), "{preset}");
        assert_eq!(config.nats.connect_within, within * SECOND, "{preset}");
        let messages = config.memory.max_messages.map(std::num::NonZero::get);
        let is_bounded = transport == TransportChoice::Memory;
        assert_eq!(messages, is_bounded.then_some(10_000), "{preset}");
    }
    // Also one of the code, which is replaced as a whole.
    let config = loader(&[("EVENT_SDK_TRANSPORT", "discard")])
        .defaults(|config| config.preset = Some(Preset::Development))
        .load()
        .unwrap();
    assert_eq!(config.transport, Some(TransportChoice::Discard));
    assert_eq!(config.log_level, Some(LogLevel::Debug));
}

#[test]
fn programs_with_several_buses_have_a_prefix_for_each() {
    let variables = [
        ("ORDERS_PUBLISH_TIMEOUT", "3s"),
        ("AUDIT_PUBLISH_TIMEOUT", "4s"),
        ("EVENT_SDK_NO_SUCH_SETTING", "of neither"),
    ];
    let timeout = |prefix: &str| {
        let loader = loader(&variables).variable_prefix(prefix);
        loader.load().unwrap().publish_timeout.unwrap()
    };
    assert_eq!(timeout("ORDERS_"), 3 * SECOND);
    assert_eq!(timeout("AUDIT_"), 4 * SECOND);
}

#[test]
fn variables_of_the_tests_are_no_settings() {
    let config = loader(&[
        ("EVENT_SDK_NATS_SERVER", "/usr/bin/nats-server"),
        ("EVENT_SDK_POSTGRES", "/usr/bin/postgres"),
    ]);
    assert_eq!(config.load().unwrap().transport, None);
}

#[test]
fn white_space_around_values_is_left_out_except_of_secrets() {
    let config = loader(&[
        ("EVENT_SDK_APPLICATION", " billing "),
        ("EVENT_SDK_NATS__USER", "anna"),
        ("EVENT_SDK_NATS__PASSWORD", " with spaces "),
    ]);
    let config = config.load().unwrap();
    assert_eq!(config.application.as_deref(), Some("billing"));
    assert_eq!(config.nats.password, Some(Secret::from(" with spaces ")));
}

#[test]
fn a_log_level_is_a_filter() {
    let mut config = Config::default();
    assert_eq!(config.log_filter(), None);
    config.log_level = Some(LogLevel::Trace);
    assert_eq!(config.log_filter().as_deref(), Some("event_sdk=trace"));
}

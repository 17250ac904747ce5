//! Every setting has an effect: with its example, something else is observed than without it.

use std::fmt::Debug;
use std::sync::Arc;

use event_sdk::config::{Config, Setting, settings};
use event_sdk::time::{SequentialIds, SteppedClock};
use event_sdk::transport::{Capability, Transport as _};
use event_sdk::{BusBuilder, EventBus};

use crate::support::load;

/// Settings without which a setting has no effect, or is refused.
fn beside(setting: &str) -> &'static [(&'static str, &'static str)] {
    match setting {
        "environment" => &[("EVENT_SDK_PREFIX", "{environment}.events")],
        "destination" => &[("EVENT_SDK_PREFIX", "{destination}.events")],
        "regions" => &[
            ("EVENT_SDK_REGION", "us-east-1"),
            ("EVENT_SDK_INTER_REGION_TIMEOUT", "45s"),
        ],
        "inter_region_timeout" => &[
            ("EVENT_SDK_REGION", "us-east-1"),
            ("EVENT_SDK_REGIONS", "us-east-1,eu-west-1"),
        ],
        "nats.user" => &[("EVENT_SDK_NATS__PASSWORD", "x")],
        "nats.password" | "nats.password_file" => &[("EVENT_SDK_NATS__USER", "x")],
        "nats.client_certificate_file" => &[("EVENT_SDK_NATS__CLIENT_KEY_FILE", "/x")],
        "nats.client_key_file" => &[("EVENT_SDK_NATS__CLIENT_CERTIFICATE_FILE", "/x")],
        _ => &[],
    }
}

/// All that is observed of a configuration: the options of the connection, the bus's settings, and
/// the bus on memory.
async fn observed(config: &Config) -> String {
    let builder = builder().configure(config).unwrap();
    let mut all = format!("{:?} {builder:?}", config.log_filter());
    all += &debug(&config.nats_options().unwrap());
    let mut config = config.clone();
    config.preset = None;
    let transport = config.transport;
    all += &debug(&transport);
    config.transport = Some(event_sdk::config::TransportChoice::Memory);
    let bus = EventBus::from_config(&config).await.unwrap();
    let capabilities = bus.transport().capabilities();
    let of_bus = format!(
        "{} {} {} {} {:?}",
        bus.prefix(),
        bus.source(),
        capabilities.max_payload(),
        capabilities.has(Capability::ValueHandover),
        bus.stream_state("EVENTS").await.unwrap().config
    );
    all + &of_bus
}

/// A builder that looks the same each time.
fn builder() -> BusBuilder {
    EventBus::builder()
        .clock(Arc::new(SteppedClock::new()))
        .ids(Arc::new(SequentialIds::default()))
}

fn debug(shown: &impl Debug) -> String {
    format!("{shown:?} ")
}

/// The settings that replace each other where both are set.
fn loaded(setting: &Setting, with: bool) -> Config {
    let variable = setting.variable();
    let mut variables = vec![("EVENT_SDK_NATS__URL", "nats://three.example:4222")];
    let mut others: Vec<_> = beside(setting.name()).to_vec();
    if !with {
        // Without this one, what stands beside it could not stand alone.
        others.clear();
        others.extend(match setting.name() {
            "inter_region_timeout" => beside("inter_region_timeout"),
            "regions" => &[("EVENT_SDK_REGION", "us-east-1")][..],
            _ => &[],
        });
    }
    variables.retain(|(name, _)| !with || *name != variable);
    variables.extend(others);
    if with {
        variables.push((&variable, setting.example()));
    }
    load(&variables)
}

#[tokio::test]
async fn every_setting_reaches_the_bus() {
    for setting in settings() {
        let without = observed(&loaded(setting, false)).await;
        assert_eq!(without, observed(&loaded(setting, false)).await);
        let with = observed(&loaded(setting, true)).await;
        assert_ne!(without, with, "`{}` has no effect", setting.name());
    }
}

/// The example of each setting is shown as it is written, and is not the default.
#[test]
fn examples_are_values_as_they_are_written() {
    for setting in settings() {
        let config = loaded(setting, true);
        let shown = setting.shown(&config);
        let expected = if setting.is_secret() {
            "…"
        } else {
            setting.example()
        };
        assert_eq!(shown.as_deref(), Some(expected), "`{}`", setting.name());
        assert_ne!(setting.default_text().as_deref(), Some(setting.example()));
        let variable = setting.variable();
        assert_eq!(
            config.origin(setting.name()).map(ToString::to_string),
            Some(variable)
        );
    }
}

/// A login that is wrong in any other way than the example's would be seen by a server only; here
/// each has its own form in the options.
#[test]
fn each_login_is_the_one_of_its_setting() {
    let user = ("EVENT_SDK_NATS__USER", "anna");
    for (name, value, login) in [
        ("PASSWORD", "pw", "User { name: \"anna\", .. }"),
        (
            "PASSWORD_FILE",
            "/run/pw",
            "PasswordFile { user: \"anna\", path: \"/run/pw\" }",
        ),
        ("TOKEN", "t", "auth: Some(Token)"),
        ("TOKEN_FILE", "/run/t", "TokenFile(\"/run/t\")"),
        ("NKEY", "SUAC", "auth: Some(NKey)"),
        ("NKEY_FILE", "/run/n.nk", "NKeyFile(\"/run/n.nk\")"),
        ("CREDENTIALS", "-----", "auth: Some(Credentials)"),
        (
            "CREDENTIALS_FILE",
            "/run/b.creds",
            "CredentialsFile(\"/run/b.creds\")",
        ),
    ] {
        let variable = format!("EVENT_SDK_NATS__{name}");
        let mut variables = vec![
            ("EVENT_SDK_NATS__URL", "nats://one.example:4222"),
            (&variable, value),
        ];
        if name.starts_with("PASSWORD") {
            variables.push(user);
        }
        let options = format!("{:?}", load(&variables).nats_options().unwrap());
        assert!(options.contains(login), "{name}: {options}");
    }
}

#[test]
fn defaults_are_those_of_the_options() {
    let config = load(&[("EVENT_SDK_NATS__URL", "nats://one.example:4222")]);
    let ours = format!("{:?}", config.nats_options().unwrap());
    let theirs = event_sdk::transport::nats::Nats::options("nats://one.example:4222");
    assert_eq!(ours, format!("{theirs:?}"));
    let configured = builder().configure(&Config::default()).unwrap();
    assert_eq!(format!("{configured:?}"), format!("{:?}", builder()));
}

/// What the code has set in the builder stays, unless it is configured.
#[tokio::test]
async fn settings_of_the_builder_are_defaults() {
    let builder = || EventBus::builder().prefix("shop").source("till");
    let connect =
        async |variables: &[(&str, &str)]| builder().connect(&load(variables)).await.unwrap();
    let memory = ("EVENT_SDK_TRANSPORT", "memory");
    let bus = connect(&[memory]).await;
    assert_eq!((bus.prefix(), bus.source()), ("shop", "till"));
    let configured = [
        memory,
        ("EVENT_SDK_PREFIX", "office"),
        ("EVENT_SDK_APPLICATION", "desk"),
    ];
    let bus = connect(&configured).await;
    assert_eq!((bus.prefix(), bus.source()), ("office", "desk"));
}

#[tokio::test]
async fn a_region_is_the_metadata_of_all_events() {
    let config = load(&[
        ("EVENT_SDK_TRANSPORT", "memory"),
        ("EVENT_SDK_REGION", "eu-west-1"),
    ]);
    let bus = EventBus::from_config(&config).await.unwrap();
    bus.publisher()
        .publish(crate::support::placed(1))
        .await
        .unwrap();
    let mut events = bus
        .subscribe::<crate::support::OrderPlaced>()
        .await
        .unwrap();
    let delivery = events.next().await.unwrap().unwrap();
    let head = delivery.head().unwrap();
    assert_eq!(head.metadata.get("region"), Some("eu-west-1"));
}

/// The limit of `memory.max_messages` is that of declared streams without one of their own.
#[tokio::test]
async fn streams_in_memory_are_bounded() {
    use event_sdk::stream::StreamSpec;

    let config = load(&[
        ("EVENT_SDK_TRANSPORT", "memory"),
        ("EVENT_SDK_MEMORY__MAX_MESSAGES", "3"),
    ]);
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(StreamSpec::new("CRM").subject("crm.>").max_messages(5))
        .connect(&config)
        .await
        .unwrap();
    for id in 0..10 {
        let order = crate::support::placed(id);
        bus.publisher().publish(order).await.unwrap();
    }
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().messages, 3);
    let crm = bus.stream_state("CRM").await.unwrap().config;
    assert_eq!(crm.limits.messages.map(std::num::NonZero::get), Some(5));
    // Applying the declarations changes nothing.
    assert!(bus.apply().await.unwrap().is_unchanged());
}

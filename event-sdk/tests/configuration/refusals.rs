//! What is wrong is an error that says where it is, what it is, and what is allowed.

use std::fs;

use event_sdk::config::{Config, ConfigError, Origin, ProblemKind};
use event_sdk::{Error, ErrorKind};

use crate::support::{assert_says, loader, refused};

#[test]
fn an_unknown_variable_names_the_nearest() {
    for (unknown, nearest) in [
        ("EVENT_SDK_NATS_URL", "`EVENT_SDK_NATS__URL`"),
        ("EVENT_SDK_TRANSPROT", "`EVENT_SDK_TRANSPORT`"),
        (
            "EVENT_SDK_NATS__PASWORD_FILE",
            "`EVENT_SDK_NATS__PASSWORD_FILE`",
        ),
        ("EVENT_SDK_CONFIGFILE", "`EVENT_SDK_CONFIG_FILE`"),
    ] {
        let error = refused(&[(unknown, "hidden")]);
        assert_says(&error, ProblemKind::UnknownSetting, &[unknown, nearest]);
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
    let error = refused(&[("EVENT_SDK_PERFORMANCE_AND_MORE", "x")]);
    assert_says(&error, ProblemKind::UnknownSetting, &["env_template"]);
}

#[test]
fn a_wrong_value_says_where_it_is_and_what_is_allowed() {
    for (variable, value, texts) in [
        ("EVENT_SDK_NATS__REQUEST_TIMEOUT", "5", &["`5`", "`5s`"][..]),
        ("EVENT_SDK_PUBLISH_TIMEOUT", "soon", &["`soon`", "`60s`"]),
        ("EVENT_SDK_PUBLISH_TIMEOUT", "-3s", &["`-3s`", "a duration"]),
        ("EVENT_SDK_PUBLISH_TIMEOUT", "0s", &["zero"]),
        (
            "EVENT_SDK_TRANSPORT",
            "kafka",
            &["`kafka`", "`memory`, `nats`, `discard` or `refuse`"],
        ),
        (
            "EVENT_SDK_NATS__TLS",
            "yes",
            &["`yes`", "`true` or `false`"],
        ),
        (
            "EVENT_SDK_NATS__MAX_IN_FLIGHT",
            "1.5",
            &["`1.5`", "whole number"],
        ),
        ("EVENT_SDK_NATS__MAX_IN_FLIGHT", "0", &["zero"]),
        (
            "EVENT_SDK_MEMORY__MAX_MESSAGES",
            "0",
            &["`0`", "at least 1"],
        ),
        (
            "EVENT_SDK_MAX_PAYLOAD",
            "8 parsecs",
            &["`8 parsecs`", "`8MiB`"],
        ),
        ("EVENT_SDK_APPLICATION", "", &["empty"]),
        ("EVENT_SDK_NATS__TOKEN", "", &["empty"]),
        ("EVENT_SDK_APPLICATION", "a.b", &["`.`"]),
        ("EVENT_SDK_REGION", "eu west", &["white space"]),
        (
            "EVENT_SDK_NATS__CA_FILE",
            "a.pem,,b.pem",
            &["an item of the list is empty"],
        ),
    ] {
        let error = refused(&[(variable, value)]);
        assert_says(&error, ProblemKind::InvalidValue, texts);
        assert_says(&error, ProblemKind::InvalidValue, &[variable]);
    }
}

#[test]
fn a_file_is_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billing.toml");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        loader(&[]).file(&path).load().expect_err("a refusal")
    };
    let error = refused("transport = 'memory'\n\n[nats]\n# seconds\nrequest_timeout = 5\n");
    let line = format!("{}:5: nats.request_timeout: `5`", path.display());
    assert_says(&error, ProblemKind::InvalidValue, &[&line, "`5s`"]);
    assert_eq!(error.problems()[0].setting(), Some("nats.request_timeout"));
    let line = Origin::File {
        path: path.clone(),
        line: 5,
    };
    assert_eq!(error.problems()[0].origin(), Some(&line));

    let error = refused("[nats]\nurll = 'nats://me:hidden@host'\n");
    assert_says(
        &error,
        ProblemKind::UnknownSetting,
        &[":2:", "`nats.urll`", "`nats.url`"],
    );
    assert!(!format!("{error} {error:?}").contains("hidden"));
    let error = refused("nats = 'nats://me:hidden@host'\n");
    assert_says(&error, ProblemKind::UnknownSetting, &[":1:", "`nats`"]);
    let error = refused("[nats.url]\nhost = 'hidden'\n");
    assert_says(&error, ProblemKind::InvalidValue, &[":1:", "a table"]);
    let error = refused("max_payload = 1.5\n");
    assert_says(&error, ProblemKind::InvalidValue, &["fraction", "`8MiB`"]);
    let error = refused("regions = ['eu', 5]\n");
    assert_says(
        &error,
        ProblemKind::InvalidValue,
        &["an array with something else"],
    );
    let error = refused("[nats]\npassword = hidden\n");
    assert_says(&error, ProblemKind::Unreadable, &[":2:", "not TOML"]);
    assert!(!format!("{error} {error:?}").contains("hidden"));

    let missing = folder.path().join("missing.toml");
    let error = loader(&[]).file(&missing).load().expect_err("a refusal");
    assert_says(
        &error,
        ProblemKind::Unreadable,
        &["missing.toml", "cannot be read"],
    );
    let error = crate::support::refused(&[("EVENT_SDK_CONFIG_FILE", "")]);
    assert_says(
        &error,
        ProblemKind::InvalidValue,
        &["EVENT_SDK_CONFIG_FILE"],
    );
}

#[test]
fn every_problem_is_reported() {
    let error = refused(&[
        ("EVENT_SDK_TRANSPROT", "memory"),
        ("EVENT_SDK_NATS__REQUEST_TIMEOUT", "5"),
        ("EVENT_SDK_NATS__TLS", "yes"),
    ]);
    assert_eq!(error.problems().len(), 3, "{error}");
    assert!(error.to_string().starts_with("3 problems: "), "{error}");
    for variable in ["TRANSPROT", "REQUEST_TIMEOUT", "TLS"] {
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let (user, password) = (
        ("EVENT_SDK_NATS__USER", "me"),
        ("EVENT_SDK_NATS__PASSWORD", "pw"),
    );
    let conflict = |variables: &[(&str, &str)], texts: &[&str]| {
        assert_says(&refused(variables), ProblemKind::Conflict, texts);
    };
    let token = ("EVENT_SDK_NATS__TOKEN", "t");
    conflict(
        &[user, password, token],
        &["EVENT_SDK_NATS__TOKEN", "EVENT_SDK_NATS__PASSWORD"],
    );
    let file = ("EVENT_SDK_NATS__PASSWORD_FILE", "/run/pw");
    conflict(&[user, password, file], &["EVENT_SDK_NATS__PASSWORD_FILE"]);
    let (domain, api) = (
        ("EVENT_SDK_NATS__DOMAIN", "hub"),
        ("EVENT_SDK_NATS__API_PREFIX", "$JS.x.API"),
    );
    conflict(
        &[domain, api],
        &["EVENT_SDK_NATS__API_PREFIX", "nats.domain"],
    );
    conflict(
        &[("EVENT_SDK_NATS__RECONNECT_DELAY", "5s")],
        &["nats.reconnect_delay_max"],
    );
    conflict(
        &[("EVENT_SDK_ENVIRONMENT", "production")],
        &["no effect", "EVENT_SDK_PREFIX"],
    );
    conflict(
        &[("EVENT_SDK_DESTINATION", "worker")],
        &["no effect", "`{destination}`"],
    );
    let regions = ("EVENT_SDK_REGIONS", "eu,us");
    conflict(&[regions], &["EVENT_SDK_REGION"]);
    conflict(
        &[regions, ("EVENT_SDK_REGION", "asia")],
        &["`asia`", "eu, us"],
    );
    conflict(&[("EVENT_SDK_INTER_REGION_TIMEOUT", "45s")], &["no effect"]);

    let missing = |variables: &[(&str, &str)], texts: &[&str]| {
        assert_says(&refused(variables), ProblemKind::Missing, texts);
    };
    missing(&[user], &["EVENT_SDK_NATS__PASSWORD"]);
    missing(&[password], &["EVENT_SDK_NATS__USER"]);
    let certificate = ("EVENT_SDK_NATS__CLIENT_CERTIFICATE_FILE", "/c.pem");
    missing(&[certificate], &["EVENT_SDK_NATS__CLIENT_KEY_FILE"]);
    let key = ("EVENT_SDK_NATS__CLIENT_KEY_FILE", "/c.key");
    missing(&[key], &["EVENT_SDK_NATS__CLIENT_CERTIFICATE_FILE"]);
    missing(&[("EVENT_SDK_TRANSPORT", "nats")], &["EVENT_SDK_NATS__URL"]);
    missing(
        &[("EVENT_SDK_PREFIX", "{environment}.x")],
        &["EVENT_SDK_ENVIRONMENT"],
    );

    let two = refused(&[("EVENT_SDK_REGIONS", "eu,eu"), ("EVENT_SDK_REGION", "eu")]);
    assert_says(&two, ProblemKind::InvalidValue, &["`eu` is named twice"]);
    let unknown = refused(&[("EVENT_SDK_PREFIX", "{app}.x")]);
    assert_says(
        &unknown,
        ProblemKind::InvalidValue,
        &["`{app}`", "`{application}`"],
    );
    let wild = refused(&[("EVENT_SDK_PREFIX", "shop.*")]);
    assert_says(&wild, ProblemKind::InvalidValue, &["EVENT_SDK_PREFIX"]);
}

#[test]
fn a_preset_is_no_override() {
    let error = loader(&[])
        .override_with(|config| config.preset = Some(event_sdk::config::Preset::Development))
        .load()
        .expect_err("a refusal");
    assert_says(&error, ProblemKind::Conflict, &["ConfigLoader::defaults"]);
}

#[test]
fn changes_in_code_are_checked_too() {
    let mut config = Config::default();
    config.nats.token = Some("t".into());
    config.nats.nkey_file = Some("/n.nk".into());
    let error = config.nats_options().expect_err("a refusal");
    assert_says(&error, ProblemKind::Conflict, &["nats.nkey_file"]);
    let mut config = Config::default();
    config.nats.url = Some("http://me:hidden@one.example".into());
    let error = config.nats_options().expect_err("a refusal");
    assert_says(
        &error,
        ProblemKind::InvalidValue,
        &["http://one.example", "nats://host:port"],
    );
    assert!(!format!("{error} {error:?} {config:?}").contains("hidden"));
}

/// Every place for a text, with a secret that is refused there, or shown in `Debug`.
#[test]
fn secrets_are_in_no_error_and_no_debug() {
    let secret = "hidden-4815162342";
    for setting in event_sdk::config::settings() {
        let variable = setting.variable();
        for value in [
            secret.to_owned(),
            format!("nats://me:{secret}@host:port"),
            format!("-----BEGIN {secret}-----\n"),
            format!("{secret}{}", "x".repeat(40)),
        ] {
            let shown = match loader(&[(&variable, &value)]).load() {
                Err(error) => {
                    let whole = Error::from(error.clone());
                    format!("{error} {error:?} {whole} {whole:?}")
                }
                Ok(config) => {
                    let shown = setting.shown(&config).unwrap_or_default();
                    let options = config.nats_options();
                    format!("{shown} {config:?} {config:#?} {options:?}")
                }
            };
            // A short text in the place of a number or a choice is shown, as a mistake mostly is.
            let is_mistake = value == secret && !setting.is_secret();
            assert!(
                is_mistake || !shown.contains("hidden"),
                "{variable}: {shown}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let value = OsString::from_vec(vec![b'x', 0xff]);
    let variables = [(OsString::from("EVENT_SDK_APPLICATION"), value)];
    let error = Config::loader().variables(variables).load();
    let error = error.expect_err("a refusal");
    assert_says(
        &error,
        ProblemKind::Unreadable,
        &["EVENT_SDK_APPLICATION", "UTF-8"],
    );
}

#[test]
fn what_acts_on_a_terminal_is_escaped() {
    let error = refused(&[("EVENT_SDK_TRANSPORT", "\u{1b}[31m\u{202e}x")]);
    let shown = error.to_string();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}

#[test]
fn as_an_error_of_the_bus_it_has_a_kind() {
    let kind = |error: ConfigError| Error::from(error).kind().clone();
    let wrong = refused(&[("EVENT_SDK_TRANSPORT", "kafka")]);
    assert_eq!(kind(wrong), ErrorKind::InvalidOption);
    let missing = refused(&[("EVENT_SDK_TRANSPORT", "nats")]);
    assert_eq!(kind(missing), ErrorKind::InvalidOption);
}

//! The configuration: unknown names, values that are not allowed, what is missing, and a transport that
//! reaches nobody.

use event_sdk::EventBus;
use event_sdk::config::{Config, ConfigProblem, ProblemKind, TransportChoice};

use super::code::Code;
use super::finding::Findings;
use super::permissions::API;
use crate::context::Context;

/// Where the bus comes from.
pub(super) enum Source {
    /// The program has it.
    Given(EventBus),
    /// It is made as configured.
    Configured(Box<Config>),
}

impl Source {
    /// The configured prefix of the JetStream API; `None` if there is no configuration.
    pub(super) fn api_prefix(&self) -> Option<String> {
        let Self::Configured(config) = self else {
            return None;
        };
        let of_domain = |domain| format!("$JS.{domain}.API");
        let of_domain = config.nats.domain.as_ref().map(of_domain);
        let prefix = config.nats.api_prefix.clone().or(of_domain);
        Some(prefix.unwrap_or_else(|| API.to_owned()))
    }
}

/// Checks the configuration, and says whether it was read: where the program has a bus of its own, only
/// if `--config` or `--config-only` asks for it. The source is `None` if no bus can be made.
pub(super) fn check(
    context: &Context<'_>,
    config_only: bool,
    findings: &mut Findings,
) -> (Option<Source>, bool) {
    let Some(bus) = &context.operations.bus else {
        return (configured(context, findings), true);
    };
    let is_read = config_only || context.file.is_some();
    if is_read && let Err(error) = context.config() {
        for problem in error.problems() {
            add(problem, findings);
        }
    }
    (Some(Source::Given(bus.clone())), is_read)
}

fn configured(context: &Context<'_>, findings: &mut Findings) -> Option<Source> {
    let config = match context.config() {
        Ok(config) => config,
        Err(error) => {
            for problem in error.problems() {
                add(problem, findings);
            }
            return None;
        }
    };
    match config.transport {
        None => {
            findings.add(
                Code::ConfigMissing,
                "setting transport",
                "is not set, so that there is no bus",
                "set EVENT_SDK_TRANSPORT to `nats`, and EVENT_SDK_NATS__URL to the servers",
            );
            return None;
        }
        Some(TransportChoice::Nats) => {}
        Some(other) => findings.add(
            Code::NoTransport,
            "setting transport",
            format!("is `{other:?}`, so that no event reaches another process").to_lowercase(),
            "set EVENT_SDK_TRANSPORT to `nats`, unless this program runs alone",
        ),
    }
    Some(Source::Configured(Box::new(config)))
}

fn add(problem: &ConfigProblem, findings: &mut Findings) {
    let (code, remedy) = match problem.kind() {
        ProblemKind::Missing => (
            Code::ConfigMissing,
            "set it in the environment or in the file; docs/configuration.md lists all settings",
        ),
        ProblemKind::UnknownSetting => (
            Code::ConfigUnknownKey,
            "write the name as docs/configuration.md has it, or remove it",
        ),
        ProblemKind::Unreadable => (
            Code::ConfigUnreadable,
            "correct the path, the permissions or the form of the file",
        ),
        _ => (
            Code::ConfigInvalid,
            "set one of the values that are allowed; docs/configuration.md lists them",
        ),
    };
    let thing = match problem.setting() {
        Some(setting) => format!("setting {setting}"),
        None => "configuration".to_owned(),
    };
    findings.add(code, thing, format!("is wrong: {problem}"), remedy);
}

/// Adds an error of making a bus from a configuration.
pub(super) fn refused(error: &event_sdk::Error, findings: &mut Findings) {
    findings.add(
        Code::ConfigInvalid,
        "configuration",
        format!("cannot be used: {}", crate::error::chain(error)),
        "correct the setting; docs/configuration.md lists them",
    );
}

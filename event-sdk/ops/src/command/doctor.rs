//! `doctor`: says what is wrong with a set-up, why, and what to do. It only reads.

mod clock;
mod code;
mod configuration;
mod connection;
mod consumers;
mod filters;
mod finding;
mod http;
mod monitor;
mod permissions;
mod streams;
mod unread;
mod user;

use anstyle::Style;
use event_sdk::shown::Shown;
use serde::Serialize;

use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::output::{BAD, DIM, GOOD, NAME, WARN, styled};
use crate::units::count;

use self::code::{Code, Severity};
use self::finding::{Finding, Findings};

/// What `doctor` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    doctor\n  \
    doctor --config-only\n  \
    doctor --monitor http://nats-1:8222\n  \
    doctor --json | jq -r '.findings[].code'\n\n\
    It changes nothing. docs/troubleshooting.md explains each code.")]
pub(crate) struct Args {
    /// Check the configuration, and connect to nothing
    #[arg(long, conflicts_with_all = ["connect_only", "monitor"])]
    config_only: bool,
    /// Check the configuration and the connection, and no stream or consumer
    #[arg(long)]
    connect_only: bool,
    /// Read the monitoring endpoints of a server too: healthz, varz, jsz, connz and subsz
    #[arg(long, value_name = "URL")]
    monitor: Option<String>,
    /// List the codes of all findings, and check nothing
    #[arg(long, conflicts_with_all = ["config_only", "connect_only", "monitor"])]
    codes: bool,
}

/// What was looked at, and what was found.
#[derive(Serialize)]
struct Report {
    checked: Vec<&'static str>,
    /// What could not be looked at.
    not_checked: Vec<NotChecked>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct NotChecked {
    part: &'static str,
    why: &'static str,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    if args.codes {
        return list(context);
    }
    let mut findings = Findings::default();
    let (mut checked, mut not_checked) = (Vec::new(), Vec::new());
    let (source, is_read) = configuration::check(context, args.config_only, &mut findings);
    // Only streams of its account are judged.
    let mut account = None;
    let mut leave_out = |part, why| not_checked.push(NotChecked { part, why });
    if is_read {
        checked.push("configuration");
    } else {
        let why = "the program has a bus of its own; `--config-only` looks at it";
        leave_out("configuration", why);
    }
    if !args.config_only
        && let Some(source) = source
    {
        checked.push("connection");
        let api = source.api_prefix();
        let connected = connection::check(source, &mut findings).await;
        if connected.is_none() && !args.connect_only {
            for part in ["streams", "consumers"] {
                leave_out(part, "there is no connection");
            }
        }
        let mut compared = false;
        let user = connected.as_ref().and_then(|(_, user)| user.as_ref());
        let api = user.map(|user| permissions::api_prefix(api, user));
        let api = api.unwrap_or_default();
        if let Some(user) = user {
            account.clone_from(&user.account);
            let declared = context.operations.permissions.as_ref();
            match permissions::compare(user, declared, &api, &mut findings) {
                Ok(()) => {
                    checked.push("permissions");
                    compared = true;
                }
                Err(why) => leave_out("permissions", why),
            }
        }
        if let Some((bus, user)) = connected
            && !args.connect_only
        {
            checked.push("streams");
            let topology = context.operations.topology;
            // The cluster of this server says nothing about that of another domain.
            let clustered = user.as_ref().is_some_and(|user| user.cluster.is_some());
            let clustered = clustered && api == permissions::API;
            match streams::check(&bus, topology, clustered, &mut findings).await {
                Ok(durables) => {
                    checked.push("consumers");
                    let events = &context.operations.events;
                    consumers::check(&bus, &durables, events, &mut findings).await;
                    if let Some(user) = user.filter(|_| !compared) {
                        permissions::may_pull(&user, &api, &durables, &mut findings);
                    }
                }
                Err(why) => leave_out("consumers", why),
            }
        }
    }
    if let Some(url) = &args.monitor {
        checked.push("monitor");
        let has_account = monitor::check(url, account.as_deref(), &mut findings).await;
        if !has_account {
            let why = if account.is_none() {
                "the account of the user is not known, and the server has those of all"
            } else {
                "the server tells nothing of the account of the user"
            };
            leave_out("streams of the monitor", why);
        }
    }
    let report = Report {
        checked,
        not_checked,
        findings: findings.sorted(),
    };
    write(context, &report)?;
    let needs_attention = |finding: &Finding| finding.severity != Severity::Note;
    Ok(if report.findings.iter().any(needs_attention) {
        Outcome::Found
    } else {
        Outcome::Done
    })
}

fn write(context: &mut Context<'_>, report: &Report) -> Result<(), OpsError> {
    let output = &mut context.output;
    if output.json {
        return Ok(output.json(report)?);
    }
    for Finding {
        severity,
        code,
        thing,
        problem,
        remedy,
    } in &report.findings
    {
        let severity = styled(style(*severity), severity);
        let code = styled(DIM, format_args!("[{}]", code.name()));
        // Names and texts come from servers.
        let name = styled(NAME, Shown(thing, 60));
        output.line(format_args!("{severity}: {name} {code}"))?;
        output.indented(&format!("The {thing} {problem}."))?;
        output.indented(&format!("To do: {remedy}."))?;
    }
    let of = |severity| {
        let all = report.findings.iter();
        all.filter(|finding| finding.severity == severity).count() as u64
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let notes = count(of(Severity::Note), "note");
    let checked = report.checked.join(", ");
    if errors + warnings == 0 {
        let good = styled(GOOD, "nothing is wrong");
        output.sentence(format_args!("{good} ({notes}); checked: {checked}"))?;
    } else {
        output.line(format_args!(
            "{}, {}, {notes}; checked: {checked}",
            count(errors, "error"),
            count(warnings, "warning")
        ))?;
    }
    for NotChecked { part, why } in &report.not_checked {
        output.text(format_args!("not checked: {part}, since {why}"))?;
    }
    Ok(())
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => WARN,
        Severity::Note => DIM,
    }
}

/// A code in the list of all.
#[derive(Serialize)]
struct Listed {
    code: Code,
    severity: Severity,
    means: &'static str,
}

fn list(context: &mut Context<'_>) -> Result<Outcome, OpsError> {
    let all = Code::ALL.iter().map(|code| Listed {
        code: *code,
        severity: code.severity(),
        means: code.means(),
    });
    let output = &mut context.output;
    if output.json {
        output.json(&all.collect::<Vec<_>>())?;
    } else {
        let rows = all.map(|it| {
            [
                it.code.name().to_owned(),
                it.severity.to_string(),
                it.means.to_owned(),
            ]
        });
        output.table(["CODE", "SEVERITY", "MEANS"], rows)?;
    }
    Ok(Outcome::Done)
}

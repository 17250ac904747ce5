//! `schemas diff`: prints the differences between two versions of an event.

use event_sdk::Version;
use serde_json::json;

use super::paint::{BAD, DIM, GOOD, HEAD, NAME, styled};
use super::{CliError, Context, Outcome};
use crate::check::{Diff, DiffRequest, diff};
use crate::compat::Change;

/// What `schemas diff` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas diff                                 code against the files, all events\n  \
    schemas diff orders.order.placed             one event\n  \
    schemas diff orders.order.placed 1.0 1.1     two versions of the files\n  \
    schemas diff orders.order.placed 1.0         a version of the files and the code\n  \
    schemas diff --against origin/main           code against the files at a git ref\n\n\
    Exit codes: 0 nothing differs, 1 something does, 2 there was nothing to compare.")]
pub(super) struct Args {
    /// The subject of the event; all events if left out
    event: Option<String>,
    /// The older version; the newest of the files if left out
    old: Option<Version>,
    /// The newer version; that of the code if left out
    new: Option<Version>,
    /// The git ref whose files are meant, instead of those of the work tree
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Outcome, CliError> {
    let request = DiffRequest {
        folder: context.dir.clone(),
        event: args.event,
        old: args.old,
        new: args.new,
        against: args.against,
    };
    let diffs = diff(context.catalogue, &request).map_err(|why| CliError::Failed {
        what: "nothing was compared".to_owned(),
        source: why.into(),
    })?;
    if args.json {
        let all: Vec<_> = diffs.iter().map(as_json).collect();
        writeln!(context.out, "{:#}", serde_json::Value::Array(all))?;
    } else if diffs.is_empty() {
        writeln!(context.out, "{}: nothing differs", styled(GOOD, "ok"))?;
    } else {
        for (index, diff) in diffs.iter().enumerate() {
            if index > 0 {
                writeln!(context.out)?;
            }
            people(context, diff)?;
        }
    }
    Ok(if diffs.is_empty() {
        Outcome::Done
    } else {
        Outcome::Found
    })
}

fn people(context: &mut Context<'_>, diff: &Diff) -> Result<(), CliError> {
    let side = |side: &Option<(Version, String)>| match side {
        Some((version, place)) => format!("{version} ({place})"),
        None => "nothing".to_owned(),
    };
    writeln!(
        context.out,
        "{}  {} → {}",
        styled(HEAD, &diff.subject),
        side(&diff.old),
        side(&diff.new)
    )?;
    for (name, was, is) in &diff.facts {
        let (was, is) = (styled(BAD, was), styled(GOOD, is));
        writeln!(context.out, "  {} {was} → {is}", styled(DIM, name))?;
    }
    fields(context, &diff.written)?;
    if !diff.read.is_empty() {
        writeln!(context.out, "  {}", styled(DIM, "and as it is read:"))?;
        fields(context, &diff.read)?;
    }
    Ok(())
}

fn fields(context: &mut Context<'_>, changes: &[Change]) -> Result<(), CliError> {
    let paths = changes.iter().map(|change| change.path.chars().count());
    let width = paths.max().unwrap_or(0);
    for change in changes {
        let path = format!("{:width$}", change.path);
        let line = match (&change.was, &change.is) {
            (Some(was), Some(is)) => format!(
                "{} {}  {} → {}",
                styled(NAME, "~"),
                styled(NAME, path),
                styled(BAD, was),
                styled(GOOD, is)
            ),
            (Some(was), None) => styled(BAD, format!("- {path}  {was}")),
            (None, Some(is)) => styled(GOOD, format!("+ {path}  {is}")),
            (None, None) => continue,
        };
        writeln!(context.out, "  {line}")?;
    }
    Ok(())
}

fn as_json(diff: &Diff) -> serde_json::Value {
    let side = |side: &Option<(Version, String)>| {
        side.as_ref()
            .map(|(version, place)| json!({ "version": version.to_string(), "in": place }))
    };
    let told = |told: &Option<crate::compat::Told>| {
        told.as_ref()
            .map(|told| json!({ "shape": told.shape, "required": told.required }))
    };
    let changes = |changes: &[Change]| {
        let changes = changes.iter().map(|change| {
            json!({ "path": change.path, "was": told(&change.was), "is": told(&change.is) })
        });
        changes.collect::<Vec<_>>()
    };
    let facts = diff.facts.iter();
    let facts = facts.map(|(name, was, is)| json!({ "what": name, "was": was, "is": is }));
    json!({
        "event": diff.subject,
        "old": side(&diff.old),
        "new": side(&diff.new),
        "facts": facts.collect::<Vec<_>>(),
        "written": changes(&diff.written),
        "read": changes(&diff.read),
    })
}

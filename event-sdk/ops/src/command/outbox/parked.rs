//! `outbox parked`: parked keys and rows, and why.

use event_sdk_store::outbox::{ParkedEntry, ParkedState};
use jiff::Timestamp;
use serde::Serialize;

use super::which::Which;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::time;

/// What `outbox parked` is told.
#[derive(clap::Args)]
#[command(
    after_help = "An entry is a row that cannot be published, with the later rows of its key. A key can be personal\n\
    data: `--show-personal-data` shows it.\n\n\
    Examples:\n  \
    outbox parked\n  \
    outbox retry 4711 --because 'the stream has room again'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Show the keys, which can be personal data
    #[arg(long)]
    show_personal_data: bool,
}

/// An entry as JSON.
#[derive(Serialize)]
struct Row {
    id: i64,
    subject: Option<String>,
    /// Whether later rows of the same key wait behind it.
    holds_a_key: bool,
    class: String,
    error: String,
    attempts: u32,
    parked_at: Timestamp,
    /// Whether the relay brings its rows back.
    releasing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Row {
    fn new(entry: &ParkedEntry, show: bool) -> Self {
        let key = entry.key.as_ref().filter(|_| show);
        Self {
            id: entry.id,
            subject: entry.subject.as_ref().map(ToString::to_string),
            holds_a_key: entry.key.is_some(),
            class: entry.reason.class.to_string(),
            error: entry.reason.error.to_string(),
            attempts: entry.reason.attempts,
            parked_at: entry.parked_at,
            releasing: entry.state == ParkedState::Releasing,
            key: key.map(ToString::to_string),
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let outbox = args.which.one(context)?;
    let entries = outbox.parked().await?;
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| Row::new(entry, args.show_personal_data))
        .collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        output.line(format_args!(
            "nothing is parked in the outbox {}",
            outbox.name
        ))?;
        return Ok(Outcome::Done);
    }
    let cells = rows.iter().map(|row| {
        let holds = if row.holds_a_key { "yes" } else { "no" };
        let state = if row.releasing { "returning" } else { "parked" };
        [
            row.id.to_string(),
            row.subject.clone().unwrap_or_default(),
            row.key.clone().unwrap_or_else(|| holds.to_owned()),
            row.class.clone(),
            row.attempts.to_string(),
            time(row.parked_at),
            state.to_owned(),
        ]
    });
    let headings = [
        "ID", "SUBJECT", "KEY", "CLASS", "ATTEMPTS", "PARKED", "STATE",
    ];
    output.table(headings, cells)?;
    for Row { id, error, .. } in &rows {
        output.text(format_args!("{id}: {error}"))?;
    }
    Ok(Outcome::Done)
}

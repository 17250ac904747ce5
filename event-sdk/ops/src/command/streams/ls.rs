//! `streams ls`: lists the streams of the account.

use event_sdk::Pattern;

use super::row::{Row, states};
use crate::command::unread::{Listed, Unread};
use crate::context::{Context, Outcome, pattern, streams};
use crate::error::OpsError;
use crate::units::size;

/// What `streams ls` is told.
#[derive(clap::Args)]
#[command(after_help = "The exit code is 1 if a stream cannot be looked at.\n\n\
    Examples:\n  \
    streams ls\n  \
    streams ls --subject 'events.orders.>'\n  \
    streams ls --all\n  \
    streams ls --json | jq -r '.[].name'")]
pub(crate) struct Args {
    /// Only streams that store a subject which this pattern matches, prefix included
    #[arg(long, value_name = "PATTERN", default_value = ">", value_parser = pattern)]
    subject: Pattern,
    /// Also the streams of key-value and object stores
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let (found, unread) = states(streams(&bus)?, &args.subject, args.all).await?;
    let found: Vec<_> = found.iter().map(Row::new).collect();
    let output = &mut context.output;
    if output.json {
        output.json(&Listed::streams(&found, &unread))?;
        return Ok(Outcome::found(!unread.is_empty()));
    }
    if found.is_empty() && unread.is_empty() {
        if args.subject == Pattern::everything() {
            output.line("there is no stream")?;
        } else {
            let subject = &args.subject;
            output.text(format_args!("no stream stores a subject of `{subject}`"))?;
        }
    }
    if !found.is_empty() {
        let rows = found.into_iter().map(|row| {
            [
                row.name,
                row.subjects.join(", "),
                row.messages.to_string(),
                size(row.stored_bytes),
                row.consumers.to_string(),
            ]
        });
        output.table(
            ["STREAM", "SUBJECTS", "MESSAGES", "SIZE", "CONSUMERS"],
            rows,
        )?;
    }
    Unread::write(&unread, output)?;
    Ok(Outcome::found(!unread.is_empty()))
}

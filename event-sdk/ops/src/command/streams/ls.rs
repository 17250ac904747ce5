//! `streams ls`: lists the streams of the account.

use event_sdk::subject::Pattern;
use event_sdk::transport::{ErrorKind, StreamState};
use serde::Serialize;

use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;

/// What `streams ls` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    streams ls\n  \
    streams ls --subject 'events.orders.>'\n  \
    streams ls --json | jq -r '.[].name'")]
pub(crate) struct Args {
    /// Only streams that store a subject which this pattern matches, prefix included
    #[arg(long, value_name = "PATTERN", default_value = ">")]
    subject: String,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let admin = streams(&bus)?;
    let pattern = Pattern::parse(args.subject.as_str())
        .map_err(|why| OpsError::failed(format!("`{}` is no pattern", args.subject), why))?;
    let mut found = Vec::new();
    for name in admin.find(&pattern).await? {
        match admin.state(&name).await {
            Ok(state) => found.push(Row::new(&state)),
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound => {}
            Err(why) => return Err(why.into()),
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let output = &mut context.output;
    if output.json {
        output.json(&found)?;
    } else if found.is_empty() {
        output.line(format_args!("no stream stores a subject of `{pattern}`"))?;
    } else {
        let rows = found.into_iter().map(|row| {
            [
                row.name,
                row.subjects.join(", "),
                row.messages.to_string(),
                row.bytes.to_string(),
                row.consumers.to_string(),
            ]
        });
        output.table(
            ["STREAM", "SUBJECTS", "MESSAGES", "BYTES", "CONSUMERS"],
            rows,
        )?;
    }
    Ok(Outcome::Done)
}

/// A stream in the list.
#[derive(Serialize)]
struct Row {
    name: String,
    subjects: Vec<String>,
    messages: u64,
    bytes: u64,
    consumers: usize,
}

impl Row {
    fn new(state: &StreamState) -> Self {
        Self {
            name: state.config.name.to_string(),
            subjects: state
                .config
                .subjects
                .iter()
                .map(ToString::to_string)
                .collect(),
            messages: state.messages,
            bytes: state.bytes,
            consumers: state.consumers,
        }
    }
}

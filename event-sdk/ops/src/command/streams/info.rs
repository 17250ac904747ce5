//! `streams info`: the settings of a stream, and what it stores.

use std::num::NonZeroU64;
use std::time::Duration;

use super::row::Row;
use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;
use crate::units::{duration, size, time};

/// What `streams info` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    streams info ORDERS\n  \
    streams info ORDERS --json | jq .last_sequence")]
pub(crate) struct Args {
    /// The stream
    stream: String,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let state = streams(&bus)?.state(&args.stream).await?;
    let row = Row::with_times(&bus, &state).await?;
    let output = &mut context.output;
    if output.json {
        output.json(&row)?;
    } else {
        output.fields(fields(row))?;
    }
    Ok(Outcome::Done)
}

fn fields(row: Row) -> Vec<(&'static str, String)> {
    let limit =
        |limit: Option<NonZeroU64>| limit.map_or("no limit".to_owned(), |it| it.to_string());
    let bytes =
        |limit: Option<NonZeroU64>| limit.map_or("no limit".to_owned(), |it| size(it.get()));
    let seconds = |seconds: f64| duration(Duration::from_secs_f64(seconds));
    let allowed = |is: bool| if is { "allowed" } else { "not allowed" }.to_owned();
    let window = row.duplicate_window_seconds;
    let mut fields = vec![
        ("stream", row.name),
        ("subjects", row.subjects.join(", ")),
        ("messages", row.messages.to_string()),
        ("size", size(row.stored_bytes)),
        (
            "sequences",
            format!("{} to {}", row.first_sequence, row.last_sequence),
        ),
    ];
    if let Some(first) = row.first_at {
        fields.push(("oldest message", time(first)));
    }
    if let Some(last) = row.last_at {
        fields.push(("newest message", time(last)));
    }
    fields.extend([
        ("consumers", row.consumers.to_string()),
        ("storage", row.storage.to_owned()),
        ("replicas", row.replicas.to_string()),
        ("compression", row.compression.to_owned()),
        ("retention", row.retention.to_owned()),
        ("when full", format!("discards {} messages", row.discard)),
        ("max messages", limit(row.max_messages)),
        (
            "max messages per subject",
            limit(row.max_messages_per_subject),
        ),
        ("max size", bytes(row.max_bytes)),
        ("max size of a message", bytes(row.max_message_bytes)),
        (
            "max age",
            row.max_age_seconds.map_or("no limit".to_owned(), seconds),
        ),
        (
            "duplicate window",
            if window > 0.0 {
                seconds(window)
            } else {
                "off".to_owned()
            },
        ),
        ("schedules", allowed(row.schedules)),
        ("deletion of messages", allowed(!row.deny_delete)),
        ("purge", allowed(!row.deny_purge)),
        ("roll-up", allowed(row.allow_rollup)),
    ]);
    fields
}

//! `consumers info`: the settings of a consumer, and where it is in its stream.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Named;
use super::row::Row;
use crate::context::{Context, Outcome, consumers};
use crate::error::OpsError;
use crate::units::{duration, time};

/// What `consumers info` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    consumers info ORDERS billing\n  \
    consumers info ORDERS billing --json | jq .pending")]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let Named { stream, consumer } = &args.named;
    let bus = context.bus().await?;
    let info = consumers(&bus)?.info(stream, consumer).await?;
    let row = Row::new(stream, &info);
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
        |limit: Option<NonZeroU32>| limit.map_or("no limit".to_owned(), |it| it.to_string());
    let seconds = |seconds: f64| duration(Duration::from_secs_f64(seconds));
    let backoff = row.backoff_seconds.iter().map(|wait| seconds(*wait));
    let backoff: Vec<_> = backoff.collect();
    let mut fields = vec![
        ("consumer", row.consumer),
        ("stream", row.stream),
        (
            "lifetime",
            if row.durable {
                "until it is deleted"
            } else {
                "as long as it is used"
            }
            .to_owned(),
        ),
        ("filters", row.filters.join(", ")),
        ("pending", format!("{} never delivered", row.pending)),
        (
            "unsettled",
            format!(
                "{}, {} of them delivered more than once",
                row.ack_pending, row.redelivered
            ),
        ),
        (
            "delivered",
            format!(
                "to sequence {} in {} deliveries",
                row.delivered_sequence, row.deliveries
            ),
        ),
        (
            "acknowledged",
            format!("to sequence {}", row.acknowledged_sequence),
        ),
        ("starts", row.deliver),
        ("ack policy", row.ack.to_owned()),
        ("ack wait", seconds(row.ack_wait_seconds)),
        ("max deliver", limit(row.max_deliver)),
        ("max ack pending", limit(row.max_ack_pending)),
    ];
    if !backoff.is_empty() {
        fields.push(("backoff", backoff.join(", ")));
    }
    if let Some(waiting) = row.waiting {
        fields.push(("requests", format!("{waiting} wait for events")));
    }
    if let Some(until) = row.paused_until {
        fields.push(("paused", format!("until {}", time(until))));
    }
    if !row.foreign.is_empty() {
        fields.push(("cannot be bound", row.foreign.join("; ")));
    }
    fields
}

//! `consumers pause` and `consumers resume`: stops the deliveries of a consumer for a time.

use std::time::Duration;

use event_sdk::transport::TransportExt as _;
use jiff::Timestamp;
use serde::Serialize;

use super::Named;
use crate::change::Change;
use crate::context::{Context, Outcome, consumers};
use crate::error::OpsError;
use crate::units::{parse_duration, parse_time, time};

/// What `consumers pause` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Its subscriptions stay open, and it goes on by itself at the end of the time.\n\n\
    Examples:\n  \
    consumers pause ORDERS billing --for 15m --because 'the ledger is migrated'\n  \
    consumers pause ORDERS billing --until 2026-05-01T08:00:00Z"
)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    end: End,
    #[command(flatten)]
    change: Change,
}

/// How long.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct End {
    /// For how long, such as 15m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    period: Option<Duration>,
    /// Until when, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
}

/// What `consumers resume` is told.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  consumers resume ORDERS billing")]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON.
#[derive(Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the name says in which unit it is"
)]
struct Paused<'a> {
    stream: &'a str,
    consumer: &'a str,
    paused_until: Option<Timestamp>,
    dry_run: bool,
}

pub(super) async fn pause(
    context: &mut Context<'_>,
    args: &PauseArgs,
) -> Result<Outcome, OpsError> {
    let now = Timestamp::now();
    let until = match (args.end.period, args.end.until) {
        (Some(period), _) => now
            .checked_add(period)
            .map_err(|why| OpsError::failed("the end of the pause is no time", why))?,
        (None, Some(until)) => until,
        (None, None) => now,
    };
    if until <= now {
        return Err(OpsError::Usage(format!(
            "{} has passed; name a time to come, or use `consumers resume`",
            time(until)
        )));
    }
    set(context, &args.named, Some(until), &args.change).await
}

pub(super) async fn resume(
    context: &mut Context<'_>,
    args: &ResumeArgs,
) -> Result<Outcome, OpsError> {
    set(context, &args.named, None, &args.change).await
}

async fn set(
    context: &mut Context<'_>,
    named: &Named,
    until: Option<Timestamp>,
    change: &Change,
) -> Result<Outcome, OpsError> {
    let Named { stream, consumer } = named;
    let bus = context.bus().await?;
    let before = consumers(&bus)?.info(stream, consumer).await?.paused_until;
    let what = match until {
        Some(until) => format!(
            "paused the consumer {consumer} of the stream {stream} until {}",
            time(until)
        ),
        None => format!("resumed the consumer {consumer} of the stream {stream}"),
    };
    let nothing_to_do = until.is_none() && before.is_none();
    if !change.dry_run && !nothing_to_do {
        let done = bus
            .transport()
            .pause_consumer(stream, consumer, until)
            .await;
        context.audited(change, &what, done)?;
        context.audit(change, &what);
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Paused {
            stream,
            consumer,
            paused_until: until,
            dry_run: change.dry_run,
        })?;
    } else if nothing_to_do {
        output.line(format_args!(
            "the consumer {consumer} of the stream {stream} is not paused"
        ))?;
    } else if change.dry_run {
        output.line(format_args!("would have {what}"))?;
    } else {
        output.line(what)?;
    }
    Ok(Outcome::Done)
}

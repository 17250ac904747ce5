//! `consumers lag`: how far consumers are behind, in events and in time.

use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk_observe::health::lag_time;
use serde::Serialize;

use super::row::{Which, is_gone};
use crate::command::unread::{Listed, Unread};
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;
use crate::output::{BAD, Output, styled};
use crate::units::{count, duration, parse_duration};

/// What `consumers lag` is told.
#[derive(clap::Args)]
#[command(
    after_help = "A consumer's lag is the events that it has not settled; in time, the age of the oldest of them.\n\
    It exits with 1 if a consumer is further behind than a limit that is given, or if the\n\
    consumers of a stream cannot be listed or compared with it.\n\n\
    Examples:\n  \
    consumers lag\n  \
    consumers lag ORDERS --max-events 1000 --max-age 5m"
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// The most events that a consumer may be behind
    #[arg(long, value_name = "EVENTS")]
    max_events: Option<u64>,
    /// The longest time that a consumer may be behind
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_age: Option<Duration>,
}

/// The lag of a consumer, as JSON.
#[derive(Serialize)]
struct Row {
    stream: String,
    consumer: String,
    lag_events: u64,
    pending: u64,
    ack_pending: u64,
    /// Null where the user may not read the stream, or the filters of another client cannot be read.
    lag_seconds: Option<f64>,
    paused: bool,
    /// Whether it exceeds a limit that was given.
    exceeded: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let (found, mut unread) = args.which.find(streams(&bus)?, consumers(&bus)?).await?;
    let (mut rows, mut unknown) = (Vec::new(), 0);
    for (stream, info) in found {
        let consumer = info.config.name.as_str().unwrap_or_default();
        context
            .output
            .progress(format_args!("reading {consumer} of {stream}"));
        let lag = if info.config.filters.is_empty() {
            // Another client has made it, with a filter that is no pattern of ours.
            unknown += 1;
            None
        } else {
            match lag_time(&**bus.transport(), &stream, &info, bus.clock()).await {
                Ok(lag) => lag,
                Err(error) if is_gone(&error) => continue,
                Err(error) if *error.kind() == ErrorKind::PermissionDenied => {
                    unknown += 1;
                    None
                }
                Err(error) if args.which.is_named() => return Err(error.into()),
                Err(error) => {
                    unknown += 1;
                    if !unread.iter().any(|it| it.is(&stream)) {
                        unread.push(Unread::of(&stream, error)?);
                    }
                    None
                }
            }
        };
        let lag_events = info.pending.saturating_add(info.ack_pending);
        let exceeded = args.max_events.is_some_and(|most| lag_events > most)
            || lag.is_some_and(|lag| args.max_age.is_some_and(|most| lag > most));
        rows.push(Row {
            stream: stream.to_string(),
            consumer: consumer.to_owned(),
            lag_events,
            pending: info.pending,
            ack_pending: info.ack_pending,
            lag_seconds: lag.map(|lag| lag.as_secs_f64()),
            paused: info.paused_until.is_some(),
            exceeded,
        });
    }
    context.output.end_progress();
    let exceeded = rows.iter().filter(|row| row.exceeded).count() as u64;
    let output = &mut context.output;
    if output.json {
        output.json(&Listed::consumers(&rows, &unread))?;
    } else {
        if !rows.is_empty() || unread.is_empty() {
            write(output, rows, exceeded)?;
        }
        Unread::write(&unread, output)?;
    }
    if exceeded == 0 && unknown > 0 && args.max_age.is_some() {
        let number = count(unknown, "consumer");
        return Err(OpsError::Usage(format!(
            "the lag in time of {number} is unknown, since the stream cannot be read, or another client has given it a filter that cannot be read, so `--max-age` cannot be checked"
        )));
    }
    Ok(Outcome::found(exceeded > 0 || !unread.is_empty()))
}

/// Writes the lag for people.
fn write(output: &mut Output<'_>, rows: Vec<Row>, exceeded: u64) -> Result<(), OpsError> {
    if rows.is_empty() {
        return Ok(output.line("there is no consumer")?);
    }
    let rows = rows.into_iter().map(|row| {
        let seconds = row.lag_seconds.map(|seconds| {
            let lag = Duration::from_secs_f64(seconds);
            duration(if lag > Duration::from_secs(1) {
                Duration::from_secs(lag.as_secs())
            } else {
                lag
            })
        });
        let state = match (row.exceeded, row.paused, row.lag_seconds) {
            (true, ..) => "too far behind",
            (_, true, _) => "paused",
            (_, _, None) => "unknown",
            (false, false, Some(_)) => "ok",
        };
        [
            row.stream,
            row.consumer,
            row.lag_events.to_string(),
            row.pending.to_string(),
            row.ack_pending.to_string(),
            seconds.unwrap_or_else(|| "unknown".to_owned()),
            state.to_owned(),
        ]
    });
    let headings = [
        "STREAM",
        "CONSUMER",
        "EVENTS",
        "PENDING",
        "UNSETTLED",
        "OLDEST",
        "STATE",
    ];
    output.table(headings, rows)?;
    if exceeded > 0 {
        let which = if exceeded == 1 { "is" } else { "are" };
        let number = count(exceeded, "consumer");
        output.line(styled(BAD, format_args!("{number} {which} too far behind")))?;
    }
    Ok(())
}

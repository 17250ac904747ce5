//! `schedule cancel`: cancels events that wait for their time.

use event_sdk::Pattern;
use event_sdk::transport::{CancelRequest, Cancellation, TransportExt as _};
use serde::Serialize;

use super::scheduling_bus;
use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::count;

/// What `schedule cancel` is told.
#[derive(clap::Args)]
#[command(
    after_help = "An event at its very time may be published all the same; the result says so. The exit code is 1\n\
    if an event was not cancelled in time.\n\n\
    Examples:\n  \
    schedule cancel ORDERS events.orders.order.expired.7 --yes --because 'it was paid'"
)]
pub(crate) struct Args {
    /// The stream
    stream: String,
    /// The keys, as `schedule ls` shows them
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    #[command(flatten)]
    destruction: Destruction,
}

/// What became of a schedule, as JSON.
#[derive(Serialize)]
struct Row {
    key: String,
    /// `in-time`, `too-late` or `unknown`; in a dry run `waits` or `unknown`.
    outcome: &'static str,
    dry_run: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = scheduling_bus(context).await?;
    let waiting = bus.transport().list_schedules(&args.stream, "").await?;
    let change = &args.destruction.change;
    let dry_run = change.dry_run;
    if !dry_run {
        let events = count(args.keys.len() as u64, "event");
        let what = format!("{events} of the stream {} will be cancelled", args.stream);
        if !context.may_destroy(&args.destruction, what)? {
            return Ok(Outcome::Found);
        }
    }
    let mut rows = Vec::new();
    for key in &args.keys {
        let found = waiting.iter().find(|message| message.key == **key);
        let outcome = if dry_run {
            if found.is_some() { "waits" } else { "unknown" }
        } else {
            // Where a message of the schedule may be, if it was published.
            let subjects = found.map_or_else(Pattern::everything, |message| {
                Pattern::from(message.subject.clone())
            });
            let request = CancelRequest::new(args.stream.clone(), key.clone(), subjects);
            let cancelled = bus.transport().cancel_schedule(request).await;
            let what = format!("the schedule {key} of the stream {}", args.stream);
            let cancelled = context.audited(change, format_args!("cancelled {what}"), cancelled)?;
            if cancelled == Cancellation::InTime {
                context.audit(change, format_args!("cancelled {what}"));
            }
            match cancelled {
                Cancellation::InTime => "in-time",
                Cancellation::TooLate => "too-late",
                Cancellation::Unknown => "unknown",
            }
        };
        rows.push(Row {
            key: key.clone(),
            outcome,
            dry_run,
        });
    }
    let is_missed = |row: &Row| !matches!(row.outcome, "in-time" | "waits");
    let outcome = Outcome::found(rows.iter().any(is_missed));
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
        return Ok(outcome);
    }
    let cells = rows.into_iter().map(|row| {
        let text = match row.outcome {
            "in-time" => "cancelled",
            "too-late" => "too late: it is published",
            "waits" => "would be cancelled",
            _ => "no such event waits",
        };
        [row.key, text.to_owned()]
    });
    output.table(["KEY", "RESULT"], cells)?;
    Ok(outcome)
}

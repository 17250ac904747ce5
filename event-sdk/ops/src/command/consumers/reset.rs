//! `consumers reset`: moves a consumer to another position of its stream.

use event_sdk::EventBus;
use event_sdk::transport::{HistoryRequest, HistoryStart, TransportExt as _};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use super::Named;
use crate::change::Destruction;
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;
use crate::units::parse_time;

/// What `consumers reset` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Events from the position on are delivered to this consumer as if for the first time, also those\n\
    that it has handled; events before it are not delivered any more. Other consumers are left alone.\n\
    Stop the instances of the consumer first: what they have received may be settled after the reset.\n\n\
    Examples:\n  \
    consumers reset ORDERS billing --time 2026-05-01T08:00:00Z --dry-run\n  \
    consumers reset ORDERS billing --sequence 4711 --yes --because 'wrong tax rate'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    destruction: Destruction,
}

/// Where a consumer goes.
#[derive(clap::Args, Default)]
#[group(multiple = false)]
pub(crate) struct To {
    /// To the event at this sequence
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) sequence: Option<u64>,
    /// To the first event stored at this time or later: RFC 3339, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) time: Option<Timestamp>,
    /// To the oldest event of the stream
    #[arg(long)]
    pub(crate) start: bool,
    /// To the next event that is stored: nothing that is there now is delivered
    #[arg(long)]
    pub(crate) end: bool,
    /// To the first event that is not settled
    #[arg(long)]
    pub(crate) unsettled: bool,
}

/// The result as JSON.
#[derive(Serialize)]
struct Moved<'a> {
    stream: &'a str,
    consumer: &'a str,
    /// The first sequence that it had not delivered.
    from_sequence: u64,
    /// The first sequence that it delivers.
    to_sequence: u64,
    dry_run: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let Named { stream, consumer } = &args.named;
    reset_to(context, (stream, consumer), &args.to, &args.destruction).await
}

/// Moves a consumer.
pub(in crate::command) async fn reset_to(
    context: &mut Context<'_>,
    (stream, consumer): (&str, &str),
    to: &To,
    destruction: &Destruction,
) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let info = consumers(&bus)?.info(stream, consumer).await?;
    let from_sequence = info.delivered.saturating_add(1);
    let to_sequence = match to {
        To {
            unsettled: true, ..
        } => info.acknowledged.saturating_add(1),
        other => other.sequence(&bus, stream).await?,
    };
    let change = &destruction.change;
    let what = format!("the consumer {consumer} of the stream {stream} to sequence {to_sequence}");
    let effect = if to_sequence <= info.acknowledged {
        "events that it has handled are delivered to it again"
    } else if to_sequence > from_sequence {
        "events before it are never delivered to it"
    } else {
        "events that it has not settled are delivered to it again"
    };
    if !change.dry_run {
        let question = format!("this moves {what}: {effect}");
        if !context.may_destroy(destruction, question)? {
            return Ok(Outcome::Found);
        }
        let done = bus
            .transport()
            .reset_consumer(stream, consumer, to_sequence)
            .await;
        context.audited(change, format_args!("moved {what}"), done)?;
        context.audit(change, format_args!("moved {what}, from {from_sequence}"));
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Moved {
            stream,
            consumer,
            from_sequence,
            to_sequence,
            dry_run: change.dry_run,
        })?;
    } else {
        let moved = if change.dry_run {
            "would move"
        } else {
            "moved"
        };
        output.text(format_args!(
            "{moved} {what}, from {from_sequence}: {effect}"
        ))?;
    }
    if info.waiting.is_some_and(|waiting| waiting > 0) {
        output.notice(
            "instances of this consumer ask for events; those that they had received before may be settled after the reset",
        )?;
    }
    Ok(Outcome::Done)
}

impl To {
    /// The sequence at which the consumer goes on.
    async fn sequence(&self, bus: &EventBus, stream: &str) -> Result<u64, OpsError> {
        if let Some(sequence) = self.sequence {
            return Ok(sequence);
        }
        let state = streams(bus)?.state(stream).await?;
        let next = state.last_sequence.saturating_add(1);
        match self.time {
            Some(time) => {
                let mut request =
                    HistoryRequest::new(stream.to_owned(), vec![event_sdk::Pattern::everything()]);
                request.from = HistoryStart::Time(time);
                request.limit = Some(1);
                let mut stored = bus.transport().read_history(request).await?;
                let first = stored.next().await.transpose()?;
                Ok(first.map_or(next, |message| message.sequence))
            }
            None if self.end => Ok(next),
            None if self.start => Ok(state.first_sequence.max(1)),
            None => Err(OpsError::Usage(
                "say where the consumer goes: `--sequence`, `--time`, `--start`, `--end` or `--unsettled`".to_owned(),
            )),
        }
    }
}

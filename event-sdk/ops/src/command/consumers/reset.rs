//! `consumers reset`: moves a consumer to another position of its stream.

use std::fmt;

use event_sdk::EventBus;
use event_sdk::transport::{ConsumerInfo, HistoryRequest, HistoryStart, TransportExt as _};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use super::Named;
use crate::change::Destruction;
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;
use crate::units::{count, parse_time};

/// What `consumers reset` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Events from the position on are delivered to this consumer as if for the first time, also those\n\
    that it has handled; events before it are not delivered any more, also those that it has received\n\
    and not settled. Other consumers are left alone.\n\
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
    #[serde(flatten)]
    effect: Effect,
    dry_run: bool,
}

/// What a reset does to the events around its position.
#[derive(Serialize)]
struct Effect {
    /// Events that it has not settled, and never gets.
    never_delivered: Option<Lost>,
    /// The sequences of events of which it gets again those that it has settled.
    delivered_again: Option<Sequences>,
}

#[derive(Serialize)]
struct Lost {
    #[serde(flatten)]
    sequences: Sequences,
    /// At most so many: some of the sequences can be settled, or of other consumers.
    at_most_events: u64,
}

#[derive(Clone, Copy, Serialize)]
struct Sequences {
    first_sequence: u64,
    last_sequence: u64,
}

/// Which way a consumer may be moved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::command) enum Way {
    /// Only so that it loses no event.
    Back,
    Any,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let Named { stream, consumer } = &args.named;
    let to = &args.to;
    reset_to(context, (stream, consumer), to, Way::Any, &args.destruction).await
}

/// Moves a consumer.
pub(in crate::command) async fn reset_to(
    context: &mut Context<'_>,
    (stream, consumer): (&str, &str),
    to: &To,
    way: Way,
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
    let effect = Effect::new(&info, to_sequence);
    if way == Way::Back && effect.never_delivered.is_some() {
        return Err(OpsError::Usage(format!(
            "a replay moves no consumer forward, and the first event is at sequence {to_sequence}: {effect}; name an earlier time, or move it with `consumers reset`"
        )));
    }
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
        let what = format_args!("moved {what}, from {from_sequence}: {effect}");
        context.audit(change, what);
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Moved {
            stream,
            consumer,
            from_sequence,
            to_sequence,
            effect,
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

impl Effect {
    fn new(info: &ConsumerInfo, to: u64) -> Self {
        let floor = info.acknowledged;
        let sequences = |first_sequence: u64, last_sequence: u64| {
            let is_any = first_sequence <= last_sequence;
            is_any.then_some(Sequences {
                first_sequence,
                last_sequence,
            })
        };
        // A reset forgets what was delivered and is not settled.
        let unsettled = info.pending.saturating_add(info.ack_pending);
        let skipped = sequences(floor.saturating_add(1), to.saturating_sub(1));
        let never_delivered = skipped.and_then(|sequences| {
            let all = sequences.last_sequence - floor;
            let at_most_events = all.min(unsettled);
            (at_most_events > 0).then_some(Lost {
                sequences,
                at_most_events,
            })
        });
        // Whether it has settled no event from the position on.
        let above = info.delivered.saturating_sub(floor);
        let none_settled = to > floor && (info.ack_pending == 0 || above <= info.ack_pending);
        let again = sequences(to, info.delivered.max(floor));
        Self {
            never_delivered,
            delivered_again: again.filter(|_| !none_settled),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(lost) = &self.never_delivered {
            let at_most = count(lost.at_most_events, "event");
            write!(
                f,
                "at most {at_most} from {} that it has not settled are never delivered to it",
                lost.sequences
            )?;
        }
        match (&self.never_delivered, &self.delivered_again) {
            (None, None) => f.write_str("it loses no event, and gets none again"),
            (Some(_), None) => Ok(()),
            (lost, Some(again)) => {
                let and = if lost.is_some() { ", and " } else { "" };
                write!(
                    f,
                    "{and}events from {again} that it has handled are delivered to it again"
                )
            }
        }
    }
}

impl fmt::Display for Sequences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.first_sequence, self.last_sequence);
        write!(f, "sequence {first} to {last}")
    }
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

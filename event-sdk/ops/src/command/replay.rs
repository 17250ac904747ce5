//! `replay`: shows stored events again, or delivers them again to one consumer.

use event_sdk::Pattern;
use jiff::Timestamp;

use super::consumers::{To, Way, reset_to};
use super::select::Select;
use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::parse_time;

/// What `replay` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Without --consumer it shows the events, oldest first, and changes nothing.\n\
    With --consumer it resets that consumer to the first of them (NATS server 2.14 or newer): it gets\n\
    all events from there on again. It is refused if the consumer would lose events. Nothing is\n\
    published again, so no other consumer sees anything.\n\n\
    Examples:\n  \
    replay --stream ORDERS --from 2026-05-01T08:00:00Z --to 2026-05-01T09:00:00Z\n  \
    replay --type order.placed --from 2h --json > orders.jsonl\n  \
    replay --stream ORDERS --from 2h --consumer billing --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    select: Select,
    /// Begin at this time (RFC 3339, or how long ago, such as 15m)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// End at this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<Timestamp>,
    /// Show at most this many events
    #[arg(long, value_name = "EVENTS")]
    limit: Option<usize>,
    /// Deliver the events from the first one on to this consumer of the stream again
    #[arg(long, value_name = "CONSUMER", requires = "stream", requires = "from", conflicts_with_all = ["to", "limit", "subject", "event_type", "correlation", "key"])]
    consumer: Option<String>,
    #[command(flatten)]
    destruction: Destruction,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    if let (Some(consumer), Some(stream)) = (&args.consumer, args.select.stream()) {
        let to = To {
            time: args.from,
            ..To::default()
        };
        let named = (stream, &**consumer);
        return reset_to(context, named, &to, Way::Back, &args.destruction).await;
    }
    let bus = context.bus().await?;
    let pattern: Pattern = args.select.pattern(&bus)?;
    args.select.streams(&bus, &pattern).await?;
    let mut query = args.select.on(bus.raw().absolute().history(pattern));
    if let Some(from) = args.from {
        query = query.from_time(from);
    }
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut stored = query.await?;
    while left > 0
        && let Some(event) = stored.next().await
    {
        let event = event?;
        if args.to.is_some_and(|to| event.stored_at() > to) {
            break;
        }
        let view = args.select.view(&event, context.operations);
        if !args.select.takes(&view) {
            continue;
        }
        left -= 1;
        let output = &mut context.output;
        if output.json {
            output.json_line(&view)?;
        } else {
            view.write(output)?;
        }
    }
    Ok(Outcome::Done)
}

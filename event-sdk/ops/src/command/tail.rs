//! `tail`: shows events as they are stored, decoded, until it is interrupted.

use std::collections::BTreeMap;
use std::time::Duration;

use event_sdk::{EventBus, Pattern};
use jiff::Timestamp;

use super::select::Select;
use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;
use crate::units::parse_time;
use crate::view::View;

/// How often streams are looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// What `tail` is told.
#[derive(clap::Args)]
#[command(
    after_help = "It reads the streams again and again, and creates no consumer: nothing on the server changes.\n\
    Personal data (fields of the type Pii) are hidden, as are the data of events that this program does\n\
    not know.\n\n\
    Examples:\n  \
    tail\n  \
    tail --type order.placed --last 10\n  \
    tail --subject 'events.orders.>' --key o-1 --since 1h --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    select: Select,
    /// Begin with events since this time (RFC 3339, or how long ago, such as 15m)
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "last")]
    since: Option<Timestamp>,
    /// Begin with this many events that are stored already
    #[arg(long, value_name = "EVENTS")]
    last: Option<usize>,
    /// End after this many events
    #[arg(long, value_name = "EVENTS")]
    count: Option<usize>,
    /// End with what is stored now
    #[arg(long)]
    no_follow: bool,
}

/// The next sequence of each stream that is looked at.
type Next = BTreeMap<String, u64>;

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let mut tail = Tail {
        left: args.count.unwrap_or(usize::MAX),
        args,
        pattern: args.select.pattern(&bus)?,
        next: Next::new(),
    };
    let admin = streams(&bus)?;
    for name in args.select.streams(&bus, &tail.pattern).await? {
        let last = admin.state(&name).await?.last_sequence;
        tail.next.insert(name.to_string(), last.saturating_add(1));
    }
    tail.begin(context, &bus).await?;
    while tail.left > 0 && !args.no_follow {
        tokio::time::sleep(INTERVAL).await;
        tail.look(context, &bus).await?;
    }
    Ok(Outcome::Done)
}

struct Tail<'a> {
    args: &'a Args,
    pattern: Pattern,
    next: Next,
    /// How many events are still to be shown.
    left: usize,
}

impl Tail<'_> {
    /// Shows what is stored already, as far as it was asked for.
    async fn begin(&mut self, context: &mut Context<'_>, bus: &EventBus) -> Result<(), OpsError> {
        let query = bus.raw().absolute().history(self.pattern.clone());
        let query = self.args.select.on(query);
        if let Some(since) = self.args.since {
            let mut stored = query.from_time(since).await?;
            while self.left > 0
                && let Some(event) = stored.next().await
            {
                let event = event?;
                let view = self.args.select.view(&event, context.operations);
                self.seen(&view);
                self.show(context, &view)?;
            }
        } else if let Some(last) = self.args.last {
            let mut newest = Vec::new();
            let mut stored = query.newest_first().await?;
            while newest.len() < last
                && let Some(event) = stored.next().await
            {
                let view = self.args.select.view(&event?, context.operations);
                context.output.progress("searching for events");
                if self.args.select.takes(&view) {
                    newest.push(view);
                }
            }
            context.output.end_progress();
            for view in newest.iter().rev() {
                self.seen(view);
                self.show(context, view)?;
            }
        }
        Ok(())
    }

    /// Shows what was stored since the last look.
    async fn look(&mut self, context: &mut Context<'_>, bus: &EventBus) -> Result<(), OpsError> {
        let admin = streams(bus)?;
        let known: Vec<_> = self
            .next
            .iter()
            .map(|(name, next)| (name.clone(), *next))
            .collect();
        for (name, next) in known {
            if admin.state(&name).await?.last_sequence < next {
                continue;
            }
            let query = bus.raw().absolute().history(self.pattern.clone());
            let mut stored = query.stream(name).from_sequence(next).await?;
            while self.left > 0
                && let Some(event) = stored.next().await
            {
                let view = self.args.select.view(&event?, context.operations);
                self.seen(&view);
                self.show(context, &view)?;
            }
        }
        Ok(())
    }

    /// An event is not shown twice.
    fn seen(&mut self, view: &View) {
        let next = self.next.entry(view.stream.clone()).or_insert(0);
        *next = (*next).max(view.sequence.saturating_add(1));
    }

    fn show(&mut self, context: &mut Context<'_>, view: &View) -> Result<(), OpsError> {
        if self.left == 0 || !self.args.select.takes(view) {
            return Ok(());
        }
        self.left -= 1;
        let output = &mut context.output;
        if output.json {
            output.json_line(view)?;
        } else {
            view.write(output)?;
            output.out.flush()?;
        }
        Ok(())
    }
}

//! `tail`: shows events as they are stored, decoded, until it is interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event_sdk::stream::Retention;
use event_sdk::transport::{Error, ErrorKind};
use event_sdk::{EventBus, Pattern};
use jiff::Timestamp;
use tokio::time::Instant;

use super::select::Select;
use crate::context::{Context, Outcome, streams};
use crate::error::{OpsError, chain};
use crate::units::parse_time;
use crate::view::View;

/// How often streams are looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// The longest time between two looks while the server does not answer.
const LONGEST: Duration = Duration::from_secs(8);

/// How often new streams are searched for; the help has it.
const SEARCH: Duration = Duration::from_secs(5);

/// What `tail` is told.
#[derive(clap::Args)]
#[command(
    after_help = "It reads the streams again and again, and creates no consumer: nothing on the server changes. It\n\
    goes on when the server comes back, or a stream is created again, and says so on the standard error.\n\
    Every 5 seconds it asks which streams store such subjects, and follows a new one from its first\n\
    event; one that was restored, or stores such subjects only now, is new too. A stream that is created\n\
    again and filled beyond where it was between two looks is not noticed.\n\
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
        gone: BTreeSet::new(),
        searched_at: Some(Instant::now()),
    };
    let admin = streams(&bus)?;
    for name in args.select.streams(&bus, &tail.pattern).await? {
        let last = admin.state(&name).await?.last_sequence;
        tail.next.insert(name.to_string(), last.saturating_add(1));
    }
    tail.begin(context, &bus).await?;
    let mut wait = INTERVAL;
    while tail.left > 0 && !args.no_follow {
        tokio::time::sleep(wait).await;
        match tail.look(context, &bus, wait > INTERVAL).await {
            Ok(()) if wait > INTERVAL => {
                context.output.notice("the server answers again")?;
                wait = INTERVAL;
            }
            Ok(()) => {}
            Err(OpsError::Bus(error)) if may_pass(&error) => {
                if wait == INTERVAL {
                    let error = chain(&error);
                    let output = &mut context.output;
                    output.notice(format_args!(
                        "a request failed, and is tried again: {error}"
                    ))?;
                }
                wait = LONGEST.min(wait * 2);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::Done)
}

/// Whether a failed request may succeed later, without another configuration.
fn may_pass(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Closed
            | ErrorKind::InvalidOption
            | ErrorKind::InvalidSubject
            | ErrorKind::NotConfigured
            | ErrorKind::PermissionDenied
            | ErrorKind::Tls
            | ErrorKind::Unauthenticated
            | ErrorKind::Unsupported(_)
    )
}

struct Tail<'a> {
    args: &'a Args,
    pattern: Pattern,
    next: Next,
    /// Streams that do not exist now.
    gone: BTreeSet<String>,
    /// When new streams were last searched for; `None` if the user may not list streams any more.
    searched_at: Option<Instant>,
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

    /// Shows what was stored since the last look, which may have been long ago.
    async fn look(
        &mut self,
        context: &mut Context<'_>,
        bus: &EventBus,
        long: bool,
    ) -> Result<(), OpsError> {
        self.search(context, bus).await?;
        for name in self.next.keys().cloned().collect::<Vec<_>>() {
            let Some((from, last)) = self.unread(context, bus, &name, long).await? else {
                continue;
            };
            let query = bus.raw().absolute().history(self.pattern.clone());
            let mut stored = query.stream(name.clone()).from_sequence(from).await?;
            while self.left > 0
                && let Some(event) = stored.next().await
            {
                let view = self.args.select.view(&event?, context.operations);
                self.seen(&view);
                self.show(context, &view)?;
            }
            // Also what is not shown was read.
            let next = self.next.entry(name).or_insert(1);
            *next = last.saturating_add(1).max(*next);
        }
        Ok(())
    }

    /// Follows streams that are new, from time to time.
    async fn search(&mut self, context: &mut Context<'_>, bus: &EventBus) -> Result<(), OpsError> {
        if self.searched_at.is_none_or(|at| at.elapsed() < SEARCH) {
            return Ok(());
        }
        let found = match self.args.select.find(bus, &self.pattern).await {
            // What is known can be read all the same.
            Err(error) if *error.kind() == ErrorKind::PermissionDenied => {
                self.searched_at = None;
                let why = chain(&error);
                let output = &mut context.output;
                output.notice(format_args!("new streams are not followed any more: {why}"))?;
                return Ok(());
            }
            found => found?,
        };
        self.searched_at = Some(Instant::now());
        for name in found.iter().map(|name| &**name) {
            if !self.next.contains_key(name) {
                let output = &mut context.output;
                output.notice(format_args!(
                    "the stream {name} is new, and is followed too"
                ))?;
                self.next.insert(name.to_owned(), 1);
            }
        }
        Ok(())
    }

    /// The first and last sequence of what a stream has that was not read. Says what cannot be shown.
    async fn unread(
        &mut self,
        context: &mut Context<'_>,
        bus: &EventBus,
        name: &str,
        long: bool,
    ) -> Result<Option<(u64, u64)>, OpsError> {
        let output = &mut context.output;
        let state = match streams(bus)?.state(name).await {
            Ok(state) => state,
            Err(error) if *error.kind() == ErrorKind::StreamNotFound => {
                if self.gone.insert(name.to_owned()) {
                    output.notice(format_args!("the stream {name} was deleted"))?;
                }
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let next = self.next.entry(name.to_owned()).or_insert(1);
        let (first, last) = (state.first_sequence, state.last_sequence);
        if self.gone.remove(name) {
            output.notice(format_args!("the stream {name} was created again"))?;
            *next = first;
        } else if last.saturating_add(1) < *next {
            let before = *next - 1;
            output.notice(format_args!(
                "the stream {name} went back, or was created again between two looks: it ends at {last}, and ended at {before}; what it stores from now on is shown"
            ))?;
            // Most of what it has was shown, if it went back.
            *next = last.saturating_add(1);
        }
        // Consumers of another retention delete what they have handled, all the time.
        if first > *next && (long || state.config.retention == Retention::Limits) {
            let (from, to) = (*next, first - 1);
            let which = if from == to {
                format!("message {from}")
            } else {
                format!("messages {from} to {to}")
            };
            let mut subjects = state.config.subjects.iter();
            let is_all = subjects.all(|it| self.pattern.covers(it)) && !self.args.select.narrows();
            let most = if is_all {
                String::new()
            } else {
                format!("at most {} events among ", to - from + 1)
            };
            output.notice(format_args!(
                "not shown: {most}{which} of the stream {name}, deleted before they could be read"
            ))?;
        }
        *next = first.max(*next);
        Ok((last >= *next).then_some((*next, last)))
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

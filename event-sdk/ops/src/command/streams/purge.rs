//! `streams purge`: deletes messages of a stream.

use std::fmt::Write as _;

use event_sdk::transport::{
    ErrorKind, HistoryRequest, HistoryStart, Order, PurgeRequest, StreamState, TransportExt as _,
};
use event_sdk::{EventBus, Pattern};
use futures_util::StreamExt as _;
use serde::Serialize;

use crate::change::Destruction;
use crate::context::{Context, Outcome, pattern, streams};
use crate::error::OpsError;
use crate::units::count;

/// What `streams purge` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Without an option it deletes all messages. Sequences are never used again.\n\n\
    Examples:\n  \
    streams purge ORDERS --subject 'events.orders.test.>' --dry-run\n  \
    streams purge ORDERS --keep 1000 --yes --because 'test data'"
)]
pub(crate) struct Args {
    /// The stream
    stream: String,
    /// Only messages whose subjects this pattern matches, prefix included
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    subject: Option<Pattern>,
    /// Only messages before this sequence
    #[arg(long, value_name = "SEQUENCE", conflicts_with = "keep")]
    before: Option<u64>,
    /// All but the newest messages, this many
    #[arg(long, value_name = "MESSAGES")]
    keep: Option<u64>,
    #[command(flatten)]
    destruction: Destruction,
}

/// The result as JSON.
#[derive(Serialize)]
struct Purged<'a> {
    stream: &'a str,
    /// The messages that were deleted, or would be.
    messages: u64,
    dry_run: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let state = streams(&bus)?.state(&args.stream).await?;
    let change = &args.destruction.change;
    let dry_run = change.dry_run;
    let messages = if dry_run {
        selected(context, &bus, &state, args).await?
    } else {
        let what = format!("{} will be deleted", args.what());
        if !context.may_destroy(&args.destruction, what)? {
            return Ok(Outcome::Found);
        }
        let purged = bus.transport().purge_messages(args.request()).await;
        let messages = context.audited(change, format_args!("deleted {}", args.what()), purged)?;
        let deleted = count(messages, "message");
        context.audit(change, format_args!("deleted {}: {deleted}", args.what()));
        messages
    };
    let output = &mut context.output;
    if output.json {
        let stream = &args.stream;
        output.json(&Purged {
            stream,
            messages,
            dry_run,
        })?;
    } else {
        let what = if dry_run {
            "would be deleted"
        } else {
            "deleted"
        };
        let number = count(messages, "message");
        output.line(format_args!(
            "{number} of the stream {} {what}",
            args.stream
        ))?;
    }
    Ok(Outcome::Done)
}

impl Args {
    fn request(&self) -> PurgeRequest {
        let mut request = PurgeRequest::all(self.stream.clone());
        request.filter.clone_from(&self.subject);
        request.before = self.before;
        request.keep = self.keep;
        request
    }

    /// What is deleted, as a part of a sentence.
    fn what(&self) -> String {
        let mut what = match self.keep {
            Some(keep) => format!("all but the newest {}", count(keep, "message")),
            None => "all messages".to_owned(),
        };
        if let Some(subject) = &self.subject {
            let _ = write!(what, " under {subject}");
        }
        if let Some(before) = self.before {
            let _ = write!(what, " before sequence {before}");
        }
        format!("{what} of the stream {}", self.stream)
    }
}

/// The number of messages that would be deleted. It is counted by reading where the stream does not
/// have it.
async fn selected(
    context: &mut Context<'_>,
    bus: &EventBus,
    state: &StreamState,
    args: &Args,
) -> Result<u64, OpsError> {
    let keep = args.keep.unwrap_or(0);
    if args.subject.is_none() && args.before.is_none() {
        return Ok(state.messages.saturating_sub(keep));
    }
    let all = || vec![Pattern::everything()];
    let filters = args
        .subject
        .clone()
        .map_or_else(all, |subject| vec![subject]);
    let mut request = HistoryRequest::new(args.stream.clone(), filters);
    if let Some(before) = args.before {
        if before <= 1 {
            return Ok(0);
        }
        request.from = HistoryStart::Sequence(before - 1);
        request.order = Order::NewestFirst;
    }
    let mut stored = match bus.transport().read_history(request).await {
        Ok(stored) => stored,
        // Its filter matches nothing that the stream stores.
        Err(error) if *error.kind() == ErrorKind::InvalidSubject => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut found: u64 = 0;
    while let Some(message) = stored.next().await {
        message?;
        found += 1;
        context.output.progress(format_args!("counting: {found}"));
    }
    context.output.end_progress();
    Ok(found.saturating_sub(keep))
}

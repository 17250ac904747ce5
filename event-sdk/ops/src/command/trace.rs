//! `trace`: the events that one event has caused, as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::shown::Shown;
use jiff::Timestamp;

use super::select::everything;
use crate::context::{Context, Outcome, pattern};
use crate::error::OpsError;
use crate::output::{DIM, styled};
use crate::units::{count, duration, parse_time, time};
use crate::view::View;

/// What `trace` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The correlation id is that of the first event, unless its publisher has set another one. All streams\n\
    are read from the start, or from --since, since no server finds events by their ids.\n\
    It exits with 1 if there is no such event, and with 3 if there are more than --limit.\n\n\
    Examples:\n  \
    trace 0197a2b0-7c1e-7000-8000-000000000001\n  \
    trace 0197a2b0-7c1e-7000-8000-000000000001 --since 2h --json"
)]
pub(crate) struct Args {
    /// The correlation id, or the id of the first event
    correlation: String,
    /// Read events since this time (RFC 3339, or how long ago, such as 15m)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// The most events; the further ones are not read
    #[arg(long, value_name = "EVENTS", default_value_t = 1_000)]
    limit: usize,
    /// Only subjects that this pattern matches, with the prefix; default: all under the prefix
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    subject: Option<Pattern>,
    /// Show the data of the events, without personal data
    #[arg(long)]
    data: bool,
    /// Show personal data, and the data of events that this program does not know
    #[arg(long, requires = "data")]
    show_personal_data: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let pattern = match &args.subject {
        Some(pattern) => pattern.clone(),
        None => everything(&bus)?,
    };
    let mut query = bus.raw().absolute().history(pattern);
    if let Some(since) = args.since {
        query = query.from_time(since);
    }
    let mut stored = query.await?;
    let (mut found, mut read, mut more) = (Vec::new(), 0_u64, false);
    while let Some(event) = stored.next().await {
        let event = event?;
        read += 1;
        context.output.progress(format_args!(
            "{} read, {} found",
            count(read, "event"),
            found.len()
        ));
        if event.head().is_ok_and(|head| {
            let correlation = head.metadata.correlation_id.as_ref();
            correlation.is_some_and(|id| id.to_string() == args.correlation)
                || head.event_id.to_string() == args.correlation
        }) {
            if found.len() == args.limit {
                more = true;
                break;
            }
            let mut view = View::new(&event, context.operations, args.show_personal_data);
            if !args.data {
                (view.data, view.hidden) = (None, None);
            }
            found.push(view);
        }
    }
    context.output.end_progress();
    let output = &mut context.output;
    if output.json {
        output.json(&found)?;
    } else if found.is_empty() {
        output.text(format_args!(
            "no event has the correlation id {}; {} searched",
            args.correlation,
            count(read, "stored event")
        ))?;
    } else {
        let first = found.iter().map(|view| view.stored_at).min();
        for (depth, view) in tree(&found) {
            let indent = "  ".repeat(depth);
            let event_type = view.event_type.as_deref().unwrap_or("?");
            let after = offset(first, view);
            // Types and sources come from other programs.
            let event_type = Shown(event_type, 200);
            let stream = Shown(&view.stream, 200);
            let line = format!("{indent}{event_type} {stream}#{}", view.sequence);
            let source = Shown(view.source.as_deref().unwrap_or_default(), 200);
            output.line(format_args!(
                "{line}  {}",
                styled(DIM, format_args!("{after} {source}"))
            ))?;
            if args.data {
                match (&view.data, &view.hidden) {
                    (Some(data), _) => output.long(format_args!("{indent}  {data}"))?,
                    (None, Some(why)) => output.text(format_args!("{indent}  not shown: {why}"))?,
                    (None, None) => {}
                }
            }
        }
    }
    if more {
        let most = count(args.limit as u64, "event");
        output.notice(format_args!(
            "there are more events than the first {most}: `--limit` shows more, `--since` begins later"
        ))?;
    }
    Ok(if more {
        Outcome::Cut
    } else {
        Outcome::found(found.is_empty())
    })
}

/// When the event was stored: the time of the first one, how long after it the others.
fn offset(first: Option<Timestamp>, view: &View) -> String {
    match first {
        Some(first) if first < view.stored_at => {
            let after: Duration = view
                .stored_at
                .duration_since(first)
                .try_into()
                .unwrap_or_default();
            format!("+{}", duration(after))
        }
        _ => time(view.stored_at),
    }
}

/// The events in the order of a tree, each with its depth: those that an event has caused follow it.
fn tree(found: &[View]) -> Vec<(usize, &View)> {
    let mut caused: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let ids: BTreeSet<&str> = found
        .iter()
        .filter_map(|view| view.event_id.as_deref())
        .collect();
    let mut left = Vec::new();
    for (index, view) in found.iter().enumerate() {
        match view.causation_id.as_deref() {
            // One that says that it has caused itself is a first one.
            Some(cause) if ids.contains(cause) && view.event_id.as_deref() != Some(cause) => {
                caused.entry(cause).or_default().push(index);
            }
            _ => left.push((0, index)),
        }
    }
    left.reverse();
    let mut seen = BTreeSet::new();
    let mut ordered = Vec::new();
    let mut rest = 0..found.len();
    loop {
        let Some((depth, index)) = left.pop() else {
            // What has caused each other in a ring has no first one.
            match rest.find(|index| !seen.contains(index)) {
                Some(index) => left.push((0, index)),
                None => break,
            }
            continue;
        };
        let Some(view) = found.get(index).filter(|_| seen.insert(index)) else {
            continue;
        };
        ordered.push((depth, view));
        let effects = view.event_id.as_deref().and_then(|id| caused.remove(id));
        let effects = effects.unwrap_or_default().into_iter().rev();
        left.extend(effects.map(|index| (depth + 1, index)));
    }
    ordered
}

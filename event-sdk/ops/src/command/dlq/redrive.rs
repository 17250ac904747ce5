//! `dlq redrive`: sends letters to their own consumers again.

use event_sdk::dead_letters::{LetterStatus, Page, RedriveOptions, RedriveReport};
use event_sdk::shown::Shown;
use serde::Serialize;

use super::filter::Selection;
use super::in_part;
use super::place::Place;
use super::row::ids;
use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::{OpsError, chain};
use crate::output::{BAD, styled};
use crate::units::count;

/// What `dlq redrive` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Only open letters are redriven, each one once, also if the command is killed and repeated. No\n\
    other consumer receives the events. `dlq outcomes` shows what became of them. The exit code is 1\n\
    if a letter that was named is not open, or cannot be sent.\n\n\
    Examples:\n  \
    dlq redrive 17 18 --because 'the price list is complete again'\n  \
    dlq redrive --group 1f6a03c9 --dry-run\n  \
    dlq redrive --consumer billing --per-second 50"
)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    place: Place,
    /// The most events a second; 0: no limit
    #[arg(long, value_name = "EVENTS", default_value_t = 0)]
    per_second: u32,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON: ids of letters.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    selected: Vec<u64>,
    redriven: Vec<u64>,
    /// Letters whose keys wait: their consumer was asked to handle the events of the keys in order.
    released: Vec<u64>,
    /// Letters that an earlier redrive had sent.
    already: Vec<u64>,
    /// Letters that another command has changed meanwhile.
    changed: Vec<u64>,
    failed: Vec<Failed>,
    /// Letters that were named, and are not open, or do not meet the other conditions.
    not_selected: Vec<u64>,
}

#[derive(Serialize)]
struct Failed {
    id: u64,
    error: String,
}

impl Report {
    fn new(report: RedriveReport, args: &Args) -> Self {
        let failed = report.failed.iter().map(|(id, error)| Failed {
            id: *id,
            error: chain(error),
        });
        Self {
            dry_run: args.change.dry_run,
            failed: failed.collect(),
            not_selected: args.selection.missing(&report.selected),
            selected: report.selected,
            redriven: report.redriven,
            released: report.released,
            already: report.already,
            changed: report.changed,
        }
    }

    /// The letters that are on their way now.
    fn sent(&self) -> u64 {
        (self.redriven.len() + self.released.len() + self.already.len()) as u64
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let open = Some(LetterStatus::Open);
    let filter = args.selection.resolve(&*letters, open).await?;
    // What cannot be read is said here, before anything may be sent.
    letters.list(&filter, Page::new(0, 1)).await?;
    let mut options = RedriveOptions::default();
    options.audit = args.change.beside_letters();
    options.per_second = args.per_second;
    options.dry_run = args.change.dry_run;
    let (output, mut through) = (&mut context.output, 0);
    let mut each = |done: u64, all: u64| {
        through = done;
        output.progress(format_args!("redriving: {done} of {all}"));
    };
    let report = letters.redrive(&filter, options, &mut each).await;
    context.output.end_progress();
    // The letters before the one that failed were sent.
    let some = count(through + 1, "letter");
    let what = format_args!("redriven up to {some} of {letters}");
    let report = if args.change.dry_run {
        report?
    } else {
        in_part(context, &args.change, what, report)?
    };
    let report = Report::new(report, args);
    if report.sent() > 0 {
        let sent = count(report.sent(), "letter");
        let which = [&report.redriven[..], &report.released, &report.already].concat();
        let what = format_args!("redrove {sent} of {letters}: {}", ids(&which));
        context.audit(&args.change, what);
    }
    let needs_attention = !report.failed.is_empty() || !report.not_selected.is_empty();
    let output = &mut context.output;
    if output.json {
        output.json(&report)?;
    } else {
        shown(context, &report)?;
    }
    Ok(Outcome::found(needs_attention))
}

/// Writes what became of the letters, one kind in a line.
fn shown(context: &mut Context<'_>, report: &Report) -> Result<(), OpsError> {
    let output = &mut context.output;
    let mut line = |letters: &[u64], what: &str| {
        if letters.is_empty() {
            return Ok(());
        }
        let number = count(letters.len() as u64, "letter");
        output.text(format_args!("{number} {what}: {}", ids(letters)))
    };
    if report.dry_run {
        line(&report.selected, "would be redriven")?;
    } else {
        line(&report.redriven, "redriven")?;
        line(
            &report.released,
            "with keys that wait; their consumers were asked to handle them in order",
        )?;
        line(&report.already, "sent by an earlier redrive")?;
        line(
            &report.changed,
            "changed by another command meanwhile, and left alone",
        )?;
    }
    line(&report.not_selected, "left alone as not open")?;
    for Failed { id, error } in &report.failed {
        let refused = styled(BAD, "cannot be sent");
        output.line(format_args!(
            "letter {id} {refused}: {}",
            Shown(error, 1_000)
        ))?;
    }
    if report.selected.is_empty() && report.not_selected.is_empty() {
        output.line("no such letter is open")?;
    }
    Ok(())
}

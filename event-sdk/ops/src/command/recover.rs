//! `recover`: finds what contradicts the streams after a restore, and repairs it.

use event_sdk_store::recover::{
    Divergence, Recover, RecoverError, RecoverPlan, RecoverReport, Repair,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::{OpsError, chain};
use crate::output::{BAD, GOOD, WARN, styled};
use crate::units::{count, parse_time};

/// What `recover` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Stop the relays and the consumers first. Without `--repair` it only reads: it names each divergence\n\
    and its repair. The exit code is 1 if something diverges or cannot be known, also after a repair.\n\
    The order of a restore is in docs/recover.md.\n\n\
    Examples:\n  \
    recover\n  \
    recover --durable ORDERS/audit --since 2026-05-01T00:00:00Z\n  \
    recover --repair --yes --because 'backup of the first of May'"
)]
pub(crate) struct Args {
    /// Carry out the repairs
    #[arg(long, conflicts_with = "dry_run")]
    repair: bool,
    /// Also compare the position of a consumer without an inbox
    #[arg(long, value_name = "STREAM/DURABLE", value_parser = parse_durable)]
    durable: Vec<(String, String)>,
    /// Compare only what was stored at this time or later: RFC 3339, or how long ago
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// The most rows and records that are held in memory
    #[arg(long, value_name = "ROWS", default_value_t = Recover::AT_MOST)]
    at_most: usize,
    #[command(flatten)]
    destruction: Destruction,
}

fn parse_durable(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((stream, durable)) if !stream.is_empty() && !durable.is_empty() => {
            Ok((stream.to_owned(), durable.to_owned()))
        }
        _ => Err("write the stream, a slash, and the durable, as in ORDERS/billing".to_owned()),
    }
}

/// The result as JSON.
#[derive(Serialize)]
struct Recovered {
    /// What diverged before a repair.
    divergences: Vec<Row>,
    /// What cannot be known.
    unknown: Vec<String>,
    /// What the repairs did; null without `--repair`.
    repaired: Option<Done>,
    /// What diverges after the repairs.
    remaining: Option<Vec<Row>>,
    /// Why it is not known what diverges after the repairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_compared: Option<String>,
}

/// A divergence as JSON.
#[derive(Serialize)]
struct Row {
    kind: &'static str,
    stream: String,
    consumer: Option<String>,
    divergence: String,
    repair: String,
    by_hand: bool,
}

impl Row {
    fn all(plan: &RecoverPlan) -> Vec<Self> {
        plan.divergences.iter().map(Self::new).collect()
    }

    fn new(divergence: &Divergence) -> Self {
        let repair = divergence.repair();
        Self {
            kind: kind(divergence),
            stream: divergence.stream().to_owned(),
            consumer: divergence.consumer().map(str::to_owned),
            divergence: divergence.to_string(),
            by_hand: matches!(repair, Repair::ByHand(_)),
            repair: repair.to_string(),
        }
    }
}

/// The name of a kind of divergence, as docs/recover.md has it.
const fn kind(divergence: &Divergence) -> &'static str {
    match divergence {
        Divergence::StreamMissing(_) => "stream-missing",
        Divergence::StreamOlder(_) => "stream-older",
        Divergence::StreamAnew(_) => "stream-anew",
        Divergence::RowsMoved(_) => "rows-moved",
        Divergence::DatabaseOlder(_) => "database-older",
        Divergence::ConsumerAhead(_) => "consumer-ahead",
        Divergence::InboxOlder(_) => "inbox-older",
        Divergence::RecordsMisplaced(_) => "records-misplaced",
        Divergence::FloorBeyondStream(_) => "floor-beyond-stream",
        Divergence::RestoredApart(_) => "restored-apart",
        Divergence::ResetUnfinished(_) => "reset-unfinished",
        _ => "other",
    }
}

/// What the repairs did, as JSON.
#[derive(Serialize)]
struct Done {
    consumers_reset: Vec<Reset>,
    resets_finished: Vec<Reset>,
    floors_lowered: u64,
    records_placed: u64,
    rows_marked: u64,
    messages_adopted: u64,
    places_noted: u64,
    rows_made_ready: u64,
    by_hand: u64,
}

/// A durable that was made anew.
#[derive(Serialize)]
struct Reset {
    stream: String,
    durable: String,
    from_sequence: Option<u64>,
}

impl Done {
    fn new(report: &RecoverReport) -> Self {
        let reset = report.consumers_reset.iter();
        let reset = reset.map(|(stream, durable, from)| Reset {
            stream: stream.to_string(),
            durable: durable.to_string(),
            from_sequence: Some(*from),
        });
        let finished = report.resets_finished.iter();
        let finished = finished.map(|(stream, durable)| Reset {
            stream: stream.to_string(),
            durable: durable.to_string(),
            from_sequence: None,
        });
        Self {
            consumers_reset: reset.collect(),
            resets_finished: finished.collect(),
            floors_lowered: report.floors_lowered,
            records_placed: report.records_placed,
            rows_marked: report.marked,
            messages_adopted: report.adopted,
            places_noted: report.places_noted,
            rows_made_ready: report.made_ready,
            by_hand: report.by_hand.len() as u64,
        }
    }

    /// What was done, as sentences.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for it in &self.consumers_reset {
            let from = it.from_sequence.unwrap_or_default();
            let (stream, durable) = (&it.stream, &it.durable);
            lines.push(format!(
                "the consumer {durable} of {stream} is made anew, and begins at {from}"
            ));
        }
        for it in &self.resets_finished {
            let (stream, durable) = (&it.stream, &it.durable);
            lines.push(format!(
                "the reset of the consumer {durable} of {stream} is completed"
            ));
        }
        for (number, one, what) in [
            (self.floors_lowered, "floor", "lowered"),
            (self.records_placed, "record", "given another sequence"),
            (self.rows_marked, "row", "marked as published"),
            (self.messages_adopted, "message", "taken into the outbox"),
            (self.places_noted, "row", "given another sequence"),
            (
                self.rows_made_ready,
                "row",
                "ready to be published again; start the relays",
            ),
        ] {
            if number > 0 {
                lines.push(format!("{} {what}", count(number, one)));
            }
        }
        lines
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let recover = prepare(context, args).await?;
    let plan = recover.plan().await.map_err(failed)?;
    if !args.repair || plan.divergences.is_empty() {
        let outcome = Outcome::found(!plan.is_clean());
        if context.output.json {
            context.output.json(&Recovered {
                divergences: Row::all(&plan),
                unknown: unknown(&plan),
                repaired: None,
                remaining: None,
                not_compared: None,
            })?;
        } else {
            shown(context, &plan)?;
        }
        return Ok(outcome);
    }
    if !context.output.json {
        shown(context, &plan)?;
    } else if !args.destruction.yes {
        // The standard output is for the program: whoever is asked reads the plan here.
        for divergence in &plan.divergences {
            let repair = divergence.repair();
            let kind = kind(divergence);
            let output = &mut context.output;
            output.notice(format_args!("{kind}: {divergence}; repair: {repair}"))?;
        }
        for unknown in &plan.unknown {
            context.output.notice(format_args!("unknown: {unknown}"))?;
        }
    }
    let number = count(plan.divergences.len() as u64, "divergence");
    let what = format!("{number} will be repaired as above");
    if !context.may_destroy(&args.destruction, what)? {
        return Ok(Outcome::Found);
    }
    let report = match recover.carry_out(&plan).await {
        Ok(report) => report,
        Err(
            error @ (RecoverError::RelaysRunning { .. } | RecoverError::ConsumerRunning { .. }),
        ) => {
            return Err(failed(error));
        }
        Err(error) => {
            let what = "may have repaired a part of what diverges; plan again";
            context.audit(&args.destruction.change, what);
            return Err(failed(error));
        }
    };
    let done = Done::new(&report);
    for line in done.lines() {
        context.audit(&args.destruction.change, format_args!("repaired: {line}"));
    }
    if !context.output.json {
        let output = &mut context.output;
        output.line("")?;
        for line in done.lines() {
            output.text(line)?;
        }
        output.line("")?;
    }
    let after = match recover.plan().await {
        Ok(after) => after,
        Err(error) => {
            if context.output.json {
                context.output.json(&Recovered {
                    divergences: Row::all(&plan),
                    unknown: unknown(&plan),
                    repaired: Some(done),
                    remaining: None,
                    not_compared: Some(chain(&error)),
                })?;
            }
            let what = "the repair was done, but what diverges after it could not be compared; run `recover` again";
            return Err(OpsError::failed(what, error));
        }
    };
    let outcome = Outcome::found(!after.is_clean());
    if context.output.json {
        context.output.json(&Recovered {
            divergences: Row::all(&plan),
            unknown: unknown(&after),
            repaired: Some(done),
            remaining: Some(Row::all(&after)),
            not_compared: None,
        })?;
        return Ok(outcome);
    }
    context.output.line("compared again:")?;
    shown(context, &after)?;
    Ok(outcome)
}

/// What the program compares, and what the arguments add.
async fn prepare(context: &Context<'_>, args: &Args) -> Result<Recover, OpsError> {
    let operations = context.operations;
    if operations.recover.is_none() && args.durable.is_empty() {
        return Err(OpsError::Usage(format!(
            "`{}` gives nothing to compare; a program gives its outbox and inboxes with `Operations::recover`, and `--durable` names a consumer without an inbox",
            operations.name
        )));
    }
    let bus = context.bus().await?;
    let mut recover = Recover::new(&bus).at_most(args.at_most);
    if let Some(parts) = &operations.recover {
        recover = (parts.0)(recover);
    }
    if let Some(since) = args.since {
        recover = recover.since(since);
    }
    let durables = args.durable.iter().cloned();
    Ok(durables.fold(recover, |recover, (stream, durable)| {
        recover.durable(stream, durable)
    }))
}

fn failed(error: RecoverError) -> OpsError {
    OpsError::failed("the recovery ended", error)
}

fn unknown(plan: &RecoverPlan) -> Vec<String> {
    plan.unknown.iter().map(ToString::to_string).collect()
}

/// Writes a plan for people.
fn shown(context: &mut Context<'_>, plan: &RecoverPlan) -> Result<(), OpsError> {
    let output = &mut context.output;
    if plan.is_clean() {
        output.line(styled(GOOD, "nothing diverges"))?;
    }
    for divergence in &plan.divergences {
        let kind = styled(BAD, kind(divergence));
        output.line(kind)?;
        output.text(format_args!("  {divergence}"))?;
        output.text(format_args!("  repair: {}", divergence.repair()))?;
    }
    for unknown in &plan.unknown {
        output.line(styled(WARN, "unknown"))?;
        output.text(format_args!("  {unknown}"))?;
    }
    Ok(())
}

//! `streams apply`: makes streams, consumers and the bucket what the topology declares.

use event_sdk::transport::{ConsumerChange, StreamChange};
use event_sdk_topology::ApplyError;
use serde::Serialize;

use super::plan;
use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `streams apply` is told.
#[derive(clap::Args)]
#[command(
    after_help = "It asks before a change that can delete stored events, such as a lower maximum of age.\n\
    A part that a server refuses is shown with the steps of a migration; then nothing is changed.\n\n\
    Examples:\n  \
    streams apply --dry-run\n  \
    streams apply --by deploy --because 'release 2.4'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    destruction: Destruction,
}

/// A part that was created or changed, as JSON.
#[derive(Serialize)]
struct Changed {
    part: String,
    change: String,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let topology = context.topology()?;
    let bus = context.bus().await?;
    let plan = topology.plan(&bus).await?;
    let change = &args.destruction.change;
    if change.dry_run || !plan.is_possible() {
        return plan::show(context, &plan);
    }
    let losses: Vec<_> = plan
        .losses()
        .map(|(item, loss)| format!("{item} ({loss})"))
        .collect();
    if !losses.is_empty() {
        let what = format!(
            "stored events can be deleted by changes of {}",
            losses.join(", ")
        );
        if !context.may_destroy(&args.destruction, what)? {
            return Ok(Outcome::Found);
        }
    }
    context.output.progress("applying the topology");
    // What was agreed to is carried out, and nothing else.
    let applied = match topology.apply_agreed(&bus, &plan).await {
        Ok(applied) => applied,
        // The server has changed since the plan was made.
        Err(ApplyError::Refused(plan)) => return plan::show(context, &plan),
        Err(ApplyError::Failed(error)) => {
            let what = "applied a part of the topology";
            context.audit(change, format_args!("may have {what}"));
            return Err(error.into());
        }
        Err(ApplyError::Changed(plan)) => {
            plan::show(context, &plan)?;
            let why = ApplyError::Changed(plan);
            return Err(OpsError::failed("the topology was not applied", why));
        }
        Err(other) => return Err(OpsError::failed("the topology was not applied", other)),
    };
    let streams = applied
        .streams
        .iter()
        .filter(|(_, change)| *change != StreamChange::Unchanged);
    let streams = streams.map(|(name, change)| (format!("stream {name}"), change.to_string()));
    let bucket = applied
        .bucket
        .iter()
        .filter(|(_, change)| *change != StreamChange::Unchanged);
    let bucket = bucket.map(|(name, change)| (format!("bucket {name}"), change.to_string()));
    let consumers = applied
        .consumers
        .iter()
        .filter(|one| one.change != ConsumerChange::Unchanged);
    let consumers = consumers.map(|one| {
        (
            format!("consumer {} of {}", one.consumer, one.stream),
            one.change.to_string(),
        )
    });
    let changes = streams.chain(bucket).chain(consumers);
    let changes: Vec<_> = changes
        .map(|(part, change)| Changed { part, change })
        .collect();
    for Changed { part, change: what } in &changes {
        context.audit(change, format_args!("applied the topology: {part} {what}"));
    }
    let output = &mut context.output;
    if output.json {
        output.json(&changes)?;
    } else if changes.is_empty() {
        output.line("everything is as declared; nothing was changed")?;
    } else {
        for Changed { part, change } in &changes {
            output.text(format_args!("{part} {change}"))?;
        }
    }
    Ok(Outcome::Done)
}

//! `streams export` and `streams import`: the JSON files of the `nats` command line.

use std::fs;
use std::path::PathBuf;

use event_sdk::transport::nats::config_file;
use event_sdk::transport::{ErrorKind, ForeignSetting};
use serde::Serialize;

use super::plan::DifferenceRow;
use crate::change::Change;
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;

/// What `streams export` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The file is for `nats stream add --config FILE` and `nats consumer add STREAM --config FILE`. What\n\
    it cannot say is on the standard error.\n\n\
    Examples:\n  \
    streams export ORDERS > orders.json\n  \
    streams export ORDERS --consumer billing > billing.json"
)]
pub(crate) struct ExportArgs {
    /// The stream
    stream: String,
    /// A consumer of the stream, instead of the stream
    #[arg(long, value_name = "CONSUMER")]
    consumer: Option<String>,
}

/// What `streams import` is told.
#[derive(clap::Args)]
#[command(
    after_help = "It creates a stream that does not exist. One that exists with other settings is not changed: declare\n\
    it in the topology, whose plan says what a change would lose. Settings that this program has no word\n\
    for are refused without --leave-out.\n\n\
    Examples:\n  \
    streams import orders.json --dry-run\n  \
    streams import orders.json --leave-out --because 'moved from the nats command line'"
)]
pub(crate) struct ImportArgs {
    /// A file that `nats stream info --json` or `streams export` wrote
    file: PathBuf,
    /// Leave out settings of the file that cannot be carried over
    #[arg(long)]
    leave_out: bool,
    #[command(flatten)]
    change: Change,
}

/// The result of an import as JSON.
#[derive(Serialize)]
struct Imported {
    stream: String,
    /// `created`, `unchanged`, or `refused`: it exists with other settings, or some are left out.
    result: &'static str,
    differences: Vec<DifferenceRow>,
    /// Settings of the file that cannot be carried over.
    left_out: Vec<String>,
    dry_run: bool,
}

pub(super) async fn export(
    context: &mut Context<'_>,
    args: &ExportArgs,
) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let (exported, foreign) = if let Some(consumer) = &args.consumer {
        let info = consumers(&bus)?.info(&args.stream, consumer).await?;
        let foreign = info.foreign.iter().map(ToString::to_string).collect();
        (config_file::export_consumer(&info.config), foreign)
    } else {
        let state = streams(&bus)?.state(&args.stream).await?;
        (
            config_file::export_stream(&state.config),
            texts(&state.foreign),
        )
    };
    let output = &mut context.output;
    output.document(exported.json.trim_end())?;
    for setting in texts(&exported.left_out).iter().chain(&foreign) {
        output.notice(format_args!("not in the file: {setting}"))?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn import(
    context: &mut Context<'_>,
    args: &ImportArgs,
) -> Result<Outcome, OpsError> {
    let file = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|why| OpsError::failed(format!("{file} cannot be read"), why))?;
    let imported = config_file::import_stream(&text)
        .map_err(|why| OpsError::failed(format!("{file} is no stream"), why))?;
    let config = imported.config;
    let bus = context.bus().await?;
    let admin = streams(&bus)?;
    let differences = match admin.state(&config.name).await {
        Ok(state) => {
            let mut wanted = config.clone();
            // A server has no such limit, and a file does not say it.
            wanted.deduplication.capacity = state.config.deduplication.capacity;
            Some(state.config.differences(&wanted))
        }
        Err(error) if *error.kind() == ErrorKind::StreamNotFound => None,
        Err(error) => return Err(error.into()),
    };
    let left_out = texts(&imported.left_out);
    let is_refused = differences.as_ref().is_some_and(|found| !found.is_empty())
        || (!left_out.is_empty() && !args.leave_out);
    let result = match &differences {
        _ if is_refused => "refused",
        Some(_) => "unchanged",
        None => "created",
    };
    let (change, stream) = (&args.change, config.name.to_string());
    if result == "created" && !change.dry_run {
        let what = format!("created the stream {stream} as {file} describes it");
        let applied = admin.apply(&config).await;
        context.audited(change, &what, applied)?;
        context.audit(change, &what);
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Imported {
            stream,
            result,
            differences: DifferenceRow::all(&differences.unwrap_or_default()),
            left_out,
            dry_run: change.dry_run,
        })?;
    } else {
        let would = if change.dry_run { "would be " } else { "" };
        output.text(format_args!("stream {stream} {would}{result}"))?;
        for difference in differences.iter().flatten() {
            output.text(format_args!("  it exists, and {difference}"))?;
        }
        for setting in left_out {
            output.text(format_args!("  cannot be carried over: {setting}"))?;
        }
    }
    Ok(if is_refused {
        Outcome::Found
    } else {
        Outcome::Done
    })
}

fn texts(settings: &[ForeignSetting]) -> Vec<String> {
    settings.iter().map(ToString::to_string).collect()
}

//! `streams backup` and `streams restore`: a stream as one file.

use std::path::PathBuf;

use event_sdk::transport::SnapshotRequest;
use event_sdk_topology::backup::{self, BackupError, Manifest, Progress};
use serde::Serialize;

use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::output::Output;
use crate::units::{count, size, time};

/// What `streams backup` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The file has messages with headers, sequences and times, the settings of the stream and the\n\
    positions of its consumers. It is written under a temporary name, replaces no file, and holds\n\
    whatever the events hold.\n\n\
    Examples:\n  \
    streams backup ORDERS orders-2026-05-01.tar.gz\n  \
    streams backup ORDERS orders.tar.gz --without-consumers"
)]
pub(crate) struct BackupArgs {
    /// The stream
    stream: String,
    /// The file to write, such as orders.tar.gz
    file: PathBuf,
    /// Leave out the consumers with their positions
    #[arg(long)]
    without_consumers: bool,
}

/// What `streams restore` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The file is read and compared with its checksum before anything is sent. A stream of that name that\n\
    exists is never replaced. With --dry-run, the file alone is checked, without a server.\n\n\
    Examples:\n  \
    streams restore orders-2026-05-01.tar.gz --dry-run\n  \
    streams restore orders-2026-05-01.tar.gz --because 'the disk was lost'"
)]
pub(crate) struct RestoreArgs {
    /// The file of a backup
    file: PathBuf,
    #[command(flatten)]
    change: Change,
}

/// The result of a restore as JSON.
#[derive(Serialize)]
struct Restored<'a> {
    backup: &'a Manifest,
    /// The messages of the stream; fewer than in the backup if some have become too old since.
    messages: u64,
    dry_run: bool,
}

pub(super) async fn backup(
    context: &mut Context<'_>,
    args: &BackupArgs,
) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let mut request = SnapshotRequest::new(args.stream.clone());
    request.consumers = !args.without_consumers;
    let output = &mut context.output;
    let written = backup::write(&bus, request, &args.file, |now| show(output, &now)).await;
    context.output.end_progress();
    let manifest = written.map_err(failed)?;
    let output = &mut context.output;
    if output.json {
        output.json(&manifest)?;
    } else {
        output.text(format_args!("wrote {}", content(&manifest)))?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn restore(
    context: &mut Context<'_>,
    args: &RestoreArgs,
) -> Result<Outcome, OpsError> {
    let dry_run = args.change.dry_run;
    let (manifest, messages) = if dry_run {
        let manifest = backup::verify(&args.file).await.map_err(failed)?;
        let messages = manifest.messages;
        (manifest, messages)
    } else {
        let bus = context.bus().await?;
        let output = &mut context.output;
        let restored = backup::restore(&bus, &args.file, |now| show(output, &now)).await;
        context.output.end_progress();
        let what = format!("restored a stream from {}", args.file.display());
        let restored = match restored {
            Err(BackupError::Transport(error)) => {
                context.audited(&args.change, &what, Err(error))?
            }
            other => other.map_err(failed)?,
        };
        let (stream, messages) = (&restored.manifest.stream, restored.state.messages);
        let number = count(messages, "message");
        context.audit(&args.change, format_args!("{what}: {stream} with {number}"));
        (restored.manifest, messages)
    };
    let output = &mut context.output;
    if output.json {
        output.json(&Restored {
            backup: &manifest,
            messages,
            dry_run,
        })?;
    } else {
        let done = if dry_run { "would restore" } else { "restored" };
        output.text(format_args!("{done} {}", content(&manifest)))?;
        if messages < manifest.messages {
            let number = count(manifest.messages - messages, "message");
            output.text(format_args!(
                "{number} of the backup were too old for the stream"
            ))?;
        }
    }
    Ok(Outcome::Done)
}

/// What a backup has, in a sentence.
fn content(manifest: &Manifest) -> String {
    format!(
        "stream {} with {} ({}, sequences {} to {}) and {}, as of {}",
        manifest.stream,
        count(manifest.messages, "message"),
        size(manifest.bytes),
        manifest.first_sequence,
        manifest.last_sequence,
        count(
            u64::try_from(manifest.consumers).unwrap_or(u64::MAX),
            "consumer"
        ),
        time(manifest.time)
    )
}

fn show(output: &mut Output<'_>, now: &Progress) {
    let done = size(now.done);
    match now.total {
        Some(total) => output.progress(format_args!("{}: {done} of {}", now.stream, size(total))),
        None => output.progress(format_args!("{}: {done}", now.stream)),
    }
}

fn failed(why: BackupError) -> OpsError {
    OpsError::failed("the backup cannot be used", why)
}

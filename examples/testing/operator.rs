//! What an operator does with streams and durables: by the commands of operation, and by the bus where there is no
//! command. The tests of several examples include this file.

use anstream::ColorChoice;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::transport::{Deletion, TransportExt as _};
use event_sdk::{EventBus, Pattern};
use event_sdk_ops::{Operations, Screen, run_on};

/// More than one part of a backup.
const NOISE: usize = 300_000;

/// Uses each stream, but the bucket's, and each durable in all ways, as the user of this bus. `admin` may do everything.
/// In the end, the streams of events are empty.
pub(crate) async fn operates(
    admin: &EventBus,
    bus: &EventBus,
    operations: Operations,
) -> anyhow::Result<()> {
    let operations = operations.bus(bus.clone());
    let folder = tempfile::tempdir()?;
    let streams = admin.transport().streams_for(&Pattern::everything());
    let streams = streams.await?.into_iter();
    let streams: Vec<_> = streams.filter(|name| !name.starts_with("KV_")).collect();
    let mut random = fastrand::Rng::with_seed(7);
    let noise = std::iter::repeat_with(|| random.u8(..)).take(NOISE);
    let noise: Bytes = noise.collect();
    for stream in &streams {
        let state = admin.stream_state(stream).await?;
        let subject = state.config.subjects.first().context("a subject")?;
        let subject = subject.as_str().replace('>', "noise.1.2.3");
        for body in [Bytes::new(), noise.clone()] {
            let raw = admin.raw().absolute();
            raw.publish(subject.clone(), body).await?;
        }
    }

    let run = async |words: &[&str]| run(&operations, words).await;
    run(&["doctor", "--connect-only"]).await?;
    run(&["streams", "ls", "--all"]).await?;
    run(&["streams", "report"]).await?;
    run(&["consumers", "ls"]).await?;
    for stream in &streams {
        let newest = ["--last=1", "--no-follow", "--subject=>"];
        run(&[&["tail", "--stream", stream], &newest[..]].concat()).await?;
        for durable in admin.transport().list_consumers(stream).await? {
            let durable = durable.config.name.as_str().context("a durable")?;
            run(&["consumers", "pause", stream, durable, "--for=1s"]).await?;
            let first = ["--sequence=1", "--yes"];
            run(&[&["consumers", "reset", stream, durable], &first[..]].concat()).await?;
        }
        let first = admin.stream_state(stream).await?.first_sequence;
        let transport = bus.transport();
        let deleted = transport.delete_message(stream, first, Deletion::Remove);
        ensure!(deleted.await?, "{stream} has no message {first}");
    }
    for stream in &streams {
        let file = folder.path().join(&**stream);
        let file = file.to_str().context("a path")?;
        run(&["streams", "backup", stream, file]).await?;
        // Letters are purged by commands of their own.
        if !stream.starts_with("DLQ") {
            run(&["streams", "purge", stream, "--yes"]).await?;
        }
    }
    Ok(())
}

/// Makes a durable of redriven events, as its consumer does.
pub(crate) async fn receives_redriven(
    admin: &EventBus,
    letters: &DeadLetterStream,
    consumer: &str,
    durable: &str,
) -> anyhow::Result<()> {
    let redriven = admin.raw().absolute();
    let redriven = redriven.subscribe(letters.retry_filter(consumer)?);
    let redriven = redriven.stream(letters.retry_name().to_owned());
    drop(redriven.durable(durable.to_owned()).await?);
    Ok(())
}

/// Runs a command, which may find something.
async fn run(operations: &Operations, words: &[&str]) -> anyhow::Result<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        input: &mut std::io::empty(),
        out: &mut out,
        err: &mut err,
        out_color: ColorChoice::Never,
        err_color: ColorChoice::Never,
        is_terminal: false,
        is_interactive: false,
    };
    let code = run_on(operations, ["operator"].iter().chain(words), &mut screen).await;
    let said = String::from_utf8_lossy(&err);
    ensure!(code <= 1, "{}: {said}", words.join(" "));
    Ok(())
}

//! Opens the bus: memory, or NATS with its streams applied.

use std::time::Duration;

use anyhow::Context;
use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;

use crate::args::Args;

/// How many events the stream keeps.
const KEEPS: u64 = 1_000_000;

/// For how long the outcome of a job is published once only: longer than any
/// job takes, or a server is away.
const REMEMBERS: Duration = Duration::from_mins(15);

/// Opens the bus that the arguments name, with its stream.
///
/// # Errors
///
/// When there is no such server, or the stream cannot be made.
pub(crate) async fn open(args: &Args) -> anyhow::Result<EventBus> {
    let builder = EventBus::builder()
        .source("jobs")
        .prefix(args.prefix.clone())
        .stream(
            StreamSpec::new(args.stream.clone())
                .subject(">")
                .max_messages(KEEPS)
                .duplicate_window(REMEMBERS),
        );
    let Some(servers) = &args.nats else {
        return Ok(builder.memory()?);
    };
    let nats = Nats::connect(Nats::options(servers))
        .await
        .context("connecting to NATS")?;
    let bus = builder.transport(nats)?;
    for (stream, change) in bus.apply_streams().await? {
        eprintln!("stream {stream}: {change}");
    }
    Ok(bus)
}

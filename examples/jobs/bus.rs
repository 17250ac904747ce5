//! Opens the bus of the configuration, and applies its stream.

use std::time::Duration;

use event_sdk::config::Config;
use event_sdk::stream::StreamSpec;
use event_sdk::{Error, EventBus};

/// How many events the stream keeps.
const KEEPS: u64 = 1_000_000;

/// For how long the outcome of a job is published once only: longer than any
/// job takes, or a server is unavailable.
const REMEMBERS: Duration = Duration::from_mins(15);

/// After this time an event that was not acknowledged is delivered again, such as one whose delivery was lost with a
/// connection, or a job whose worker is gone.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(5);

/// Opens the bus that the configuration describes, with its stream.
///
/// # Errors
///
/// When there is no such server, or the stream cannot be made.
pub(crate) async fn open(config: &Config, stream: &str) -> Result<EventBus, Error> {
    let stream = StreamSpec::new(stream.to_owned())
        .subject(">")
        .max_messages(KEEPS)
        .duplicate_window(REMEMBERS);
    let builder = EventBus::builder().source("jobs").prefix("hodei.events");
    let bus = builder.stream(stream).connect(config).await?;
    bus.apply_streams().await?;
    Ok(bus)
}

//! Creates consumers that start at the right sequence also where a replica lags.
//!
//! A consumer is kept by one server. The server's copy of the stream may lack confirmed messages,
//! or still have messages that were dropped. The consumer then begins earlier. So if the stream has
//! replicas, consumers are created until one begins on a copy that has caught up.

use std::time::Instant;

use super::failure::{Outcome, ensure_eq};
use super::reader::Reader;
use super::rig::Rig;
use event_sdk_core::transport::{ConsumerConfig, TransportExt as _};

/// A new consumer that begins with this message, which is acknowledged.
pub(super) async fn begin(rig: &Rig, config: &ConsumerConfig, first: u64) -> Outcome<Reader> {
    let begun = Instant::now();
    loop {
        let mut reader = rig.subscribe(config).await?;
        if begins_with(&mut reader, rig, first, begun).await? {
            return Ok(reader);
        }
        drop(reader);
        if let Some(name) = config.name.as_str() {
            // It is there unless it has ended with its subscription.
            let _ = rig.transport.delete_consumer(&rig.stream, name).await;
        }
    }
}

/// Whether it begins with this message, which is acknowledged then; an error where it does not,
/// and that is not for a copy which is behind.
pub(super) async fn begins_with(
    reader: &mut Reader,
    rig: &Rig,
    first: u64,
    begun: Instant,
) -> Outcome<bool> {
    let got = reader.message().await?;
    let found = got.number()?;
    if is_behind(rig, found, first, begun) {
        return Ok(false);
    }
    ensure_eq!(found, first, "the number of the first message");
    ensure_eq!(got.attempt(), 1, "the attempt of message {first}");
    got.ack().await?;
    Ok(true)
}

/// Whether that a consumer began with `found` in place of `first` may be for a copy that is behind:
/// for as long as a case waits.
pub(super) fn is_behind(rig: &Rig, found: u64, first: u64, begun: Instant) -> bool {
    rig.copies() > 1 && found < first && begun.elapsed() < rig.patience()
}

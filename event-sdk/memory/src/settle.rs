//! Settling deliveries.

use std::sync::Arc;

use super::connection::Connection;
use super::slab::Key;
use super::stream::MemoryStream;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Answer, Error, ErrorKind, Operation, Settle, Settlement};

/// Where the deliveries of one subscription are settled; a delivery is known by
/// its sequence, whichever attempt it was.
#[derive(Debug)]
pub(super) struct Sink {
    stream: Arc<MemoryStream>,
    connection: Arc<Connection>,
    consumer: Key,
    name: Option<Text>,
}

impl Sink {
    pub(super) fn new(
        stream: Arc<MemoryStream>,
        connection: Arc<Connection>,
        consumer: Key,
        name: Option<Text>,
    ) -> Self {
        Self {
            stream,
            connection,
            consumer,
            name,
        }
    }

    fn settle_now(&self, sequence: u64, settlement: &Settlement) -> Result<(), Error> {
        let stream = &self.stream;
        let now = stream.clock().monotonic();
        stream.locked(&self.connection, Operation::Settle, |state, after| {
            let Some(consumer) = state.consumers.get_mut(self.consumer) else {
                return Err(stream.no_consumer(Operation::Settle, self.name.as_deref()));
            };
            if consumer.settle(sequence, settlement, &state.log, now, after) {
                state.release_settled(self.consumer, after);
                state.tell_drains(after);
                return Ok(());
            }
            Err(Error::new(
                ErrorKind::Other,
                Operation::Settle,
                "the memory transport does not know this settlement",
            ))
        })
    }
}

impl Settle for Sink {
    fn settle(&self, token: u64, settlement: Settlement) -> Answer<Result<(), Error>> {
        Answer::ready(self.settle_now(token, &settlement))
    }
}

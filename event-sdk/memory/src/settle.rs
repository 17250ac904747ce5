//! Settles deliveries: applies ack, nak, term and in progress to their consumer.

use std::sync::Arc;

use super::connection::Connection;
use super::pending::HandlerId;
use super::slab::Key;
use super::stream::MemoryStream;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, Error, Operation, Settle, SettleCompletions, Settlement, Settler, Unsettled,
};

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

    /// Settles all of these alike, under one lock.
    fn settle_now(
        &self,
        deliveries: impl IntoIterator<Item = (u64, HandlerId)>,
        settlement: &Settlement,
    ) -> Result<(), Error> {
        let stream = &self.stream;
        let now = stream.clock().monotonic();
        let phase = self.connection.phase();
        stream.locked(phase, Operation::Settle, |state, after| {
            let Some(consumer) = state.consumers.get_mut(self.consumer) else {
                return Err(stream.no_consumer(Operation::Settle, self.name.as_deref()));
            };
            for delivery in deliveries {
                consumer.settle(delivery, settlement, &state.log, now, after);
            }
            state.release_settled(self.consumer, after);
            state.tell_drains(after);
            Ok(())
        })
    }
}

/// One delivery, as its handler holds it. While it exists, the delivery is not made again to
/// the same subscription.
pub(super) struct Held(Arc<Sink>);

impl Held {
    /// A delivery that is settled at this sink.
    pub(super) fn by(sink: &Arc<Sink>) -> Arc<dyn Settle> {
        Arc::new(Self(Arc::clone(sink)))
    }
}

impl Settle for Held {
    fn settle(&self, token: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        Completion::ready(
            self.0
                .settle_now([(token, HandlerId::of(self))], &settlement),
        )
    }

    /// Each run of deliveries of one subscription takes one lock.
    fn settle_all(
        &self,
        deliveries: &[&Settler],
        settlement: &Settlement,
    ) -> Completion<Result<(), Unsettled>> {
        let mut answers = SettleCompletions::new(deliveries.len());
        let mut place = 0;
        while let Some(settler) = deliveries.get(place) {
            let Some((Self(sink), _)) = settler.sink::<Self>() else {
                answers.add(place, settler.settle(settlement.clone()));
                place += 1;
                continue;
            };
            let run = deliveries[place..].iter().map_while(|settler| {
                let (held, token) = settler.sink::<Self>()?;
                Arc::ptr_eq(&held.0, sink).then_some((token, HandlerId::of(held)))
            });
            let end = place + run.clone().count();
            if sink.settle_now(run.clone(), settlement).is_err() {
                // It is refused for each of them: each has an error of its own.
                for (place, settler) in (place..).zip(&deliveries[place..end]) {
                    answers.add(place, settler.settle(settlement.clone()));
                }
            }
            place = end;
        }
        answers.answer()
    }
}

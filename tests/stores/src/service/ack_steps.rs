//! `AckSteps`: an intercept of the transport that announces when a consumer acknowledges an event.

use std::sync::Arc;

use event_sdk::transport::{
    Completion, Error, Incoming, Received, Settle, Settlement, Settler, SubscribeRequest,
    Subscription, Transport,
};
use event_sdk_testing::intercept::Intercept;
use futures_util::StreamExt as _;

use super::inbox_steps::ConsumerSteps;

/// Passes everything on, and stands before or after acknowledgements.
#[derive(Debug)]
pub struct AckSteps(ConsumerSteps);

impl AckSteps {
    /// The acknowledgements of a consumer with these steps.
    #[must_use]
    pub fn new(steps: &ConsumerSteps) -> Self {
        Self(steps.clone())
    }
}

impl Intercept for AckSteps {
    fn subscribe(
        &self,
        inner: &dyn Transport,
        request: SubscribeRequest,
    ) -> Completion<Result<Subscription, Error>> {
        let steps = self.0.clone();
        let subscribing = inner.subscribe(request);
        Completion::later(async move {
            let subscription = subscribing.await?;
            Ok(subscription.map_deliveries(|deliveries| {
                deliveries.map(move |item| {
                    item.map(|incoming| match incoming {
                        Incoming::Message(received) => {
                            Incoming::Message(with_steps(received, &steps))
                        }
                        notice @ Incoming::Notice(_) => notice,
                    })
                })
            }))
        })
    }
}

fn with_steps(mut received: Received, steps: &ConsumerSteps) -> Received {
    let sequence = received.info.sequence.unwrap_or_default();
    received.settler = received.settler.take().map(|inner| {
        let steps = steps.clone();
        let settle = SettleWithSteps { inner, steps };
        Settler::new(Arc::new(settle), sequence)
    });
    received
}

/// Settles one delivery; its token is the sequence.
struct SettleWithSteps {
    inner: Settler,
    steps: ConsumerSteps,
}

impl Settle for SettleWithSteps {
    fn settle(&self, sequence: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        if !matches!(settlement, Settlement::Ack | Settlement::AckConfirmed) {
            return self.inner.settle(settlement);
        }
        let (inner, steps) = (self.inner.clone(), self.steps.clone());
        Completion::later(async move {
            steps.before_ack(sequence).await;
            inner.settle(settlement).await?;
            steps.after_ack(sequence).await;
            Ok(())
        })
    }
}

//! Broken promises of draining.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use event_sdk::transport::{Completion, Drained, Error, Transport};

use super::{Broken, Sabotage};

impl<T: Transport> Broken<T> {
    pub(super) fn broken_drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.draining.store(true, Ordering::SeqCst);
        let inner = Arc::clone(&self.inner);
        match self.sabotage {
            Sabotage::DrainsNothing => Completion::ready(Ok(Drained::default())),
            Sabotage::DrainsByClosing => Completion::later(async move {
                inner.close().await?;
                Ok(Drained::default())
            }),
            Sabotage::DrainsToTheEnd => Completion::later(async move {
                let drained = inner.drain(within).await;
                tokio::time::sleep(within).await;
                drained
            }),
            // A drain that has much time is ended by its handlers.
            Sabotage::KeepsWhatIsInHand if within < Duration::from_mins(1) => {
                Completion::later(async move {
                    tokio::time::sleep(within).await;
                    inner.close().await?;
                    Ok(Drained::default())
                })
            }
            Sabotage::CountsNothingDrained => {
                let drained = inner.drain(within);
                Completion::later(async move { drained.await.map(|_| Drained::default()) })
            }
            _ => inner.drain(within),
        }
    }
}

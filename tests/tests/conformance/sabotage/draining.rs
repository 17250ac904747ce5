//! Draining that breaks a promise.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use event_sdk::transport::{Answer, Drained, Error, Transport};

use super::{Broken, Sabotage};

impl<T: Transport> Broken<T> {
    pub(super) fn broken_drain(&self, within: Duration) -> Answer<Result<Drained, Error>> {
        self.draining.store(true, Ordering::SeqCst);
        let inner = Arc::clone(&self.inner);
        match self.sabotage {
            Sabotage::DrainsNothing => Answer::ready(Ok(Drained::default())),
            Sabotage::DrainsByClosing => Answer::later(async move {
                inner.close().await?;
                Ok(Drained::default())
            }),
            Sabotage::DrainsToTheEnd => Answer::later(async move {
                let drained = inner.drain(within).await;
                tokio::time::sleep(within).await;
                drained
            }),
            // A drain that has much time is ended by its handlers.
            Sabotage::KeepsWhatIsInHand if within < Duration::from_mins(1) => {
                Answer::later(async move {
                    tokio::time::sleep(within).await;
                    inner.close().await?;
                    Ok(Drained::default())
                })
            }
            Sabotage::CountsNothingDrained => {
                let drained = inner.drain(within);
                Answer::later(async move { drained.await.map(|_| Drained::default()) })
            }
            _ => inner.drain(within),
        }
    }
}

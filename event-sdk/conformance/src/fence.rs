//! Fences: a case shows that no message arrives by publishing another one that must be the next.

use super::failure::{Outcome, ensure_eq};
use super::reader::{Got, Reader};
use super::rig::{Rig, SHORT};
use event_sdk_core::transport::{DeliverPolicy, Settlement};

/// The number of a message that only shows that nothing came before it.
pub(super) const FENCE: u64 = 999_999;

impl Rig {
    /// Waits for an ack wait of [`SHORT`]: until another consumer has had something twice.
    pub(super) async fn an_ack_wait_passes(&self) -> Outcome {
        let mut config = self.ephemeral()?;
        config.filters = vec![self.pattern("clock")?];
        config.deliver = DeliverPolicy::New;
        config.ack_wait = SHORT;
        let mut clock = self.subscribe(&config).await?;
        clock.expect_nothing_for_an_ack_wait(self, "clock").await
    }
}

impl Reader {
    /// Nothing more comes: a message that is published now is the next.
    pub(super) async fn expect_nothing_before_fence(
        &mut self,
        rig: &Rig,
        relative: &str,
    ) -> Outcome {
        rig.publish(relative, FENCE).await?;
        let got = self.message().await?;
        ensure_eq!(
            got.number()?,
            FENCE,
            "what came after everything was delivered"
        );
        got.settle_if_any(Settlement::Ack).await
    }

    /// Nothing more comes within the consumer's ack wait: a message that is
    /// published now and not settled is delivered twice, and nothing before
    /// that or between.
    pub(super) async fn expect_nothing_for_an_ack_wait(
        &mut self,
        rig: &Rig,
        relative: &str,
    ) -> Outcome {
        rig.publish(relative, FENCE).await?;
        self.expect_fence_within_an_ack_wait().await?;
        self.expect_fence_within_an_ack_wait().await?.ack().await
    }

    async fn expect_fence_within_an_ack_wait(&mut self) -> Outcome<Got> {
        let got = self.message().await?;
        ensure_eq!(
            got.number()?,
            FENCE,
            "what came within an ack wait (attempt {})",
            got.attempt()
        );
        Ok(got)
    }
}

//! Messages whose last delivery ends while their consumer has no subscription.

use std::num::NonZeroU32;

use super::failure::Outcome;
use super::reader::Reader;
use super::rig::Rig;

/// Two messages that ran out of deliveries unheard, and the next subscription.
pub(super) async fn two_ran_out(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("once")?;
    config.ack_wait = rig.ack_wait();
    config.max_deliver = NonZeroU32::new(1);
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..2).await?;
    let handled = (reader.expect(0).await?, reader.expect(1).await?);
    drop(reader);
    // A longer ack wait of another consumer passes.
    let mut longer = rig.durable("longer")?;
    longer.ack_wait = config.ack_wait * 2;
    let mut clock = rig.subscribe(&longer).await?;
    while clock.message().await?.attempt() < 2 {}
    drop(handled);
    rig.subscribe(&config).await
}

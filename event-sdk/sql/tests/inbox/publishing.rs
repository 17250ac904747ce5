//! Outgoing events of effects: committed with the effect, and published by a relay.

use event_sdk::consumer::Failure;
use event_sdk_sql::{EffectOf, EffectTx, Outbox};

use crate::database::Db;
use crate::rig::{OrderBilled, OrderPlaced, Rig, write_invoice};

/// Publishes what it bills.
struct Publishing;

impl EffectOf<OrderPlaced, Db> for Publishing {
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<Db>) -> Result<(), Failure> {
        write_invoice(tx, &placed).await?;
        let order = placed.order;
        tx.publish(OrderBilled { order })
            .metadata("part", "1")
            .await?;
        if tx.ctx().attempt() == 1 {
            return Err(Failure::retry("after the publish"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn outgoing_events_are_committed_with_the_effect_and_are_caused_by_it() {
    let rig = Rig::new().await;
    let mut billed = rig.bus.subscribe::<OrderBilled>().await.unwrap();
    rig.place_orders([7]).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(Publishing));
    let report = rig.run(consumer).await;
    assert_eq!((report.handled, report.failed_attempts), (1, 1));
    assert_eq!(rig.count("select count(*) from event_outbox").await, 1);

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relay = Outbox::new(rig.service.clone(), rig.bus.clone()).relay();
    let relay = tokio::spawn(relay.run_until(async { drop(stopped.await) }));
    let delivery = billed.next().await.unwrap().unwrap();
    assert_eq!(delivery.decode().unwrap().order, 7);
    let head = delivery.head().unwrap().clone();
    delivery.ack().await.unwrap();
    drop(stop);
    relay.await.unwrap().unwrap();
    let mut placed = rig.bus.history::<OrderPlaced>().await.unwrap();
    let cause = placed.next().await.unwrap().unwrap();
    let cause = cause.head().unwrap().event_id;
    assert_eq!(head.metadata.causation_id, Some(cause.into()));
    assert_eq!(head.metadata.get("part"), Some("1"));
    // Derived from the cause, as with `Ctx::publish`.
    assert_eq!(head.event_id.get_version_num(), 5);
}

//! The service `notifications`: tells customers what became of their payments.

use std::time::Duration;

use event_sdk::consumer::{Consumer, Failure, Retry};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::MessageRequested;
use crate::node::Node;

pub(crate) const TABLES: &str = "
    create table if not exists messages (
        number bigint not null,
        recipient text not null,
        text text not null
    )";

/// What the service consumes.
pub(crate) type Consumed = MessageRequested;

/// Three attempts, and an ack wait of 30 seconds.
pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Notifications.consumer(), Duration::from_secs(30))
        .handled_by(node.effects(Notifications))
        .retry(Retry::at_least_once().max_attempts(3))
}

struct Notifications;

impl<D: Db> EffectOf<MessageRequested, D> for Notifications {
    async fn apply(&self, message: MessageRequested, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        book(&mut **tx, &message).await?;
        Ok(())
    }
}

pub(crate) async fn book(tx: &mut impl Connection, message: &MessageRequested) -> sqlx::Result<()> {
    tx.execute(
        "insert into messages (number, recipient, text) values ($1, $2, $3)",
        &[
            message.transaction.into(),
            (&message.recipient).into(),
            (&message.text).into(),
        ],
    )
    .await
}

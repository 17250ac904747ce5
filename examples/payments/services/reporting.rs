//! The service `reporting`: adds up the turnover.

use std::time::Duration;

use event_sdk::consumer::{Consumer, Failure, Retry};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::TurnoverReported;
use crate::node::Node;

pub(crate) const TABLES: &str = "
    create table if not exists turnover (
        number bigint not null,
        net bigint not null,
        fee bigint not null,
        currency text not null
    )";

/// What the service consumes.
pub(crate) type Consumed = TurnoverReported;

/// A report takes its time.
pub(crate) const ACK_WAIT: Duration = Duration::from_mins(5);

/// Three attempts, and an ack wait of five minutes.
pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Reporting.consumer(), ACK_WAIT)
        .handled_by(node.effects(Reporting))
        .retry(Retry::at_least_once().max_attempts(3))
}

struct Reporting;

impl<D: Db> EffectOf<TurnoverReported, D> for Reporting {
    async fn apply(&self, reported: TurnoverReported, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        book(&mut **tx, &reported).await?;
        Ok(())
    }
}

pub(crate) async fn book(
    tx: &mut impl Connection,
    reported: &TurnoverReported,
) -> sqlx::Result<()> {
    tx.execute(
        "insert into turnover (number, net, fee, currency) values ($1, $2, $3, $4)",
        &[
            reported.transaction.into(),
            reported.net.minor().into(),
            reported.fee.minor().into(),
            reported.net.currency().code().into(),
        ],
    )
    .await
}

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
pub(crate) fn consumer(node: &Node) -> Consumer<Consumed> {
    node.consumer(Service::Reporting.consumer(), ACK_WAIT)
        .handled_by(node.effects(Reporting))
        .retry(Retry::at_least_once().max_attempts(3))
}

struct Reporting;

impl EffectOf<TurnoverReported, Db> for Reporting {
    async fn apply(
        &self,
        reported: TurnoverReported,
        tx: &mut EffectTx<Db>,
    ) -> Result<(), Failure> {
        book(tx, &reported).await?;
        Ok(())
    }
}

pub(crate) async fn book(tx: &mut Connection, reported: &TurnoverReported) -> sqlx::Result<()> {
    sqlx::query("insert into turnover (number, net, fee, currency) values ($1, $2, $3, $4)")
        .bind(reported.transaction)
        .bind(reported.net.minor())
        .bind(reported.fee.minor())
        .bind(reported.net.currency().code())
        .execute(tx)
        .await
        .map(drop)
}

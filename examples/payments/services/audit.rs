//! The service `audit`: keeps the beginning and the end of each payment.

use event_sdk::EventSet;
use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{ComplianceAlert, EntryRecorded, SettlementCompleted, TransactionCreated};
use crate::node::{ACK_WAIT, Node};

pub(crate) const TABLES: &str = "
    create table if not exists entries (number bigint not null, what text not null)";

/// What the service keeps, from three streams.
#[derive(EventSet)]
pub(crate) enum Audited {
    Created(TransactionCreated),
    Refused(ComplianceAlert),
    Settled(SettlementCompleted),
}

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Audited> {
    node.consumer(Service::Audit.consumer(), ACK_WAIT)
        .handled_by(node.effects(Audit))
}

struct Audit;

impl<D: Db> EffectOf<TransactionCreated, D> for Audit {
    async fn apply(
        &self,
        created: TransactionCreated,
        tx: &mut EffectTx<D>,
    ) -> Result<(), Failure> {
        record(tx, created.transaction, "created").await
    }
}

impl<D: Db> EffectOf<ComplianceAlert, D> for Audit {
    async fn apply(&self, alert: ComplianceAlert, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        record(tx, alert.transaction, "refused").await
    }
}

impl<D: Db> EffectOf<SettlementCompleted, D> for Audit {
    async fn apply(
        &self,
        completed: SettlementCompleted,
        tx: &mut EffectTx<D>,
    ) -> Result<(), Failure> {
        record(tx, completed.transaction, "settled").await
    }
}

async fn record<D: Db>(tx: &mut EffectTx<D>, number: i64, what: &str) -> Result<(), Failure> {
    let recorded = book(&mut **tx, number, what).await?;
    tx.publish(recorded).await?;
    Ok(())
}

pub(crate) async fn book(
    tx: &mut impl Connection,
    number: i64,
    what: &str,
) -> sqlx::Result<EntryRecorded> {
    tx.execute(
        "insert into entries (number, what) values ($1, $2)",
        &[number.into(), what.into()],
    )
    .await?;
    Ok(EntryRecorded {
        transaction: number,
        what: what.to_owned(),
    })
}

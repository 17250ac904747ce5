//! The service `transactions`: takes payments from customers, and records how they end.

use event_sdk::EventSet;
use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{ComplianceAlert, MessageRequested, SettlementCompleted, TransactionCreated};
use crate::node::{ACK_WAIT, Node};

/// `endings` has no unique key on purpose, like the tables of all other services: nothing but the inbox
/// keeps an effect from happening twice.
pub(crate) const TABLES: &str = "
    create table if not exists payments (
        number bigint primary key,
        payer text not null,
        payee text not null,
        minor bigint not null,
        currency text not null
    );
    create table if not exists endings (number bigint not null, ending text not null);
    create index if not exists endings_by_number on endings (number)";

/// What the service waits for.
#[derive(EventSet)]
pub(crate) enum Outcomes {
    Refused(ComplianceAlert),
    Settled(SettlementCompleted),
}

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Outcomes> {
    node.consumer(Service::Transactions.consumer(), ACK_WAIT)
        .handled_by(node.effects(Transactions))
}

struct Transactions;

impl<D: Db> EffectOf<ComplianceAlert, D> for Transactions {
    async fn apply(&self, alert: ComplianceAlert, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        let message = refuse(&mut **tx, &alert).await?;
        tx.publish(message).await?;
        Ok(())
    }
}

impl<D: Db> EffectOf<SettlementCompleted, D> for Transactions {
    async fn apply(
        &self,
        completed: SettlementCompleted,
        tx: &mut EffectTx<D>,
    ) -> Result<(), Failure> {
        complete(&mut **tx, &completed).await?;
        Ok(())
    }
}

/// Stores a payment that a customer submits.
pub(crate) async fn store(
    tx: &mut impl Connection,
    created: &TransactionCreated,
) -> sqlx::Result<()> {
    let insert = "insert into payments (number, payer, payee, minor, currency)
                  values ($1, $2, $3, $4, $5)";
    tx.execute(
        insert,
        &[
            created.transaction.into(),
            (&created.payer).into(),
            (&created.payee).into(),
            created.amount.minor().into(),
            created.amount.currency().code().into(),
        ],
    )
    .await
}

/// Ends a payment that compliance has refused, and tells the payer.
pub(crate) async fn refuse(
    tx: &mut impl Connection,
    alert: &ComplianceAlert,
) -> sqlx::Result<MessageRequested> {
    end(tx, alert.transaction, "refused").await?;
    Ok(MessageRequested {
        transaction: alert.transaction,
        recipient: alert.payer.clone(),
        text: "your payment was refused".to_owned(),
    })
}

/// Ends a payment whose money has moved.
pub(crate) async fn complete(
    tx: &mut impl Connection,
    completed: &SettlementCompleted,
) -> sqlx::Result<()> {
    end(tx, completed.transaction, "settled").await
}

async fn end(tx: &mut impl Connection, number: i64, ending: &str) -> sqlx::Result<()> {
    tx.execute(
        "insert into endings (number, ending) values ($1, $2)",
        &[number.into(), ending.into()],
    )
    .await
}

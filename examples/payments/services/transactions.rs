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

pub(crate) fn consumer(node: &Node) -> Consumer<Outcomes> {
    node.consumer(Service::Transactions.consumer(), ACK_WAIT)
        .handled_by(node.effects(Transactions))
}

struct Transactions;

impl EffectOf<ComplianceAlert, Db> for Transactions {
    async fn apply(&self, alert: ComplianceAlert, tx: &mut EffectTx<Db>) -> Result<(), Failure> {
        let message = refuse(tx, &alert).await?;
        tx.publish(message).await?;
        Ok(())
    }
}

impl EffectOf<SettlementCompleted, Db> for Transactions {
    async fn apply(
        &self,
        completed: SettlementCompleted,
        tx: &mut EffectTx<Db>,
    ) -> Result<(), Failure> {
        complete(tx, &completed).await?;
        Ok(())
    }
}

/// Stores a payment that a customer submits.
pub(crate) async fn store(tx: &mut Connection, created: &TransactionCreated) -> sqlx::Result<()> {
    let insert = "insert into payments (number, payer, payee, minor, currency)
                  values ($1, $2, $3, $4, $5)";
    sqlx::query(insert)
        .bind(created.transaction)
        .bind(&created.payer)
        .bind(&created.payee)
        .bind(created.amount.minor())
        .bind(created.amount.currency().code())
        .execute(tx)
        .await
        .map(drop)
}

/// Ends a payment that compliance has refused, and tells the payer.
pub(crate) async fn refuse(
    tx: &mut Connection,
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
    tx: &mut Connection,
    completed: &SettlementCompleted,
) -> sqlx::Result<()> {
    end(tx, completed.transaction, "settled").await
}

async fn end(tx: &mut Connection, number: i64, ending: &str) -> sqlx::Result<()> {
    sqlx::query("insert into endings (number, ending) values ($1, $2)")
        .bind(number)
        .bind(ending)
        .execute(tx)
        .await
        .map(drop)
}

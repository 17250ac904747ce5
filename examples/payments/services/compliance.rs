//! The service `compliance`: compares payees with a list of sanctions.

use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{CheckPassed, ComplianceAlert, TransactionCreated};
use crate::node::{ACK_WAIT, Node};

pub(crate) const TABLES: &str = "
    create table if not exists sanctions (payee text primary key);
    insert into sanctions (payee) values ('sanctioned-ltd') on conflict do nothing;
    create table if not exists checks (number bigint not null, passed boolean not null)";

/// What the service consumes.
pub(crate) type Consumed = TransactionCreated;

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Compliance.consumer(), ACK_WAIT)
        .handled_by(node.effects(Compliance))
}

struct Compliance;

impl<D: Db> EffectOf<TransactionCreated, D> for Compliance {
    async fn apply(
        &self,
        created: TransactionCreated,
        tx: &mut EffectTx<D>,
    ) -> Result<(), Failure> {
        match book(&mut **tx, &created).await? {
            Checked::Passed(passed) => tx.publish(passed).await?,
            Checked::Refused(alert) => tx.publish(alert).await?,
        };
        Ok(())
    }
}

/// What came of a check.
pub(crate) enum Checked {
    Passed(CheckPassed),
    Refused(ComplianceAlert),
}

pub(crate) async fn book(
    tx: &mut impl Connection,
    created: &TransactionCreated,
) -> sqlx::Result<Checked> {
    let find = "select count(*) from sanctions where payee = $1";
    let passed = tx.number(find, &[(&created.payee).into()]).await? == 0;
    tx.execute(
        "insert into checks (number, passed) values ($1, $2)",
        &[created.transaction.into(), passed.into()],
    )
    .await?;
    let TransactionCreated {
        transaction,
        payer,
        payee,
        amount,
    } = created.clone();
    Ok(if passed {
        Checked::Passed(CheckPassed {
            transaction,
            payer,
            payee,
            amount,
        })
    } else {
        Checked::Refused(ComplianceAlert { transaction, payer })
    })
}

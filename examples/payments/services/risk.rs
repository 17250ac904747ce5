//! The service `risk`: adds up the exposure to each payer.

use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{CheckPassed, PaymentAccepted};
use crate::node::{ACK_WAIT, Node};

pub(crate) const TABLES: &str = "
    create table if not exists exposures (
        number bigint not null,
        payer text not null,
        minor bigint not null,
        currency text not null
    )";

/// What the service consumes.
pub(crate) type Consumed = CheckPassed;

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Risk.consumer(), ACK_WAIT)
        .handled_by(node.effects(Risk))
}

struct Risk;

impl<D: Db> EffectOf<CheckPassed, D> for Risk {
    async fn apply(&self, passed: CheckPassed, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        let accepted = book(&mut **tx, &passed).await?;
        tx.publish(accepted).await?;
        Ok(())
    }
}

pub(crate) async fn book(
    tx: &mut impl Connection,
    passed: &CheckPassed,
) -> sqlx::Result<PaymentAccepted> {
    let insert = "insert into exposures (number, payer, minor, currency) values ($1, $2, $3, $4)";
    tx.execute(
        insert,
        &[
            passed.transaction.into(),
            (&passed.payer).into(),
            passed.amount.minor().into(),
            passed.amount.currency().code().into(),
        ],
    )
    .await?;
    let CheckPassed {
        transaction,
        payer,
        payee,
        amount,
    } = passed.clone();
    Ok(PaymentAccepted {
        transaction,
        payer,
        payee,
        amount,
    })
}

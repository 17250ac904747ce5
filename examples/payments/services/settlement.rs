//! The service `settlement`: moves the money, in a ledger with double entries.

use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{MessageRequested, ObligationCleared, SettlementCompleted, TurnoverReported};
use crate::money::Money;
use crate::node::{ACK_WAIT, Node};

/// The postings of a payment add up to zero: minus the amount for the payer, the net amount for the payee,
/// and the fee for the account `fees`.
pub(crate) const TABLES: &str = "
    create table if not exists postings (
        number bigint not null,
        account text not null,
        side text not null,
        minor bigint not null,
        currency text not null
    )";

/// What the service consumes.
pub(crate) type Consumed = ObligationCleared;

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Settlement.consumer(), ACK_WAIT)
        .handled_by(node.effects(Settlement))
}

struct Settlement;

impl<D: Db> EffectOf<ObligationCleared, D> for Settlement {
    async fn apply(&self, cleared: ObligationCleared, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        let Settled {
            completed,
            message,
            turnover,
        } = book(&mut **tx, &cleared).await?;
        tx.publish(completed).await?;
        tx.publish(message).await?;
        tx.publish(turnover).await?;
        Ok(())
    }
}

/// The events that follow a settlement.
pub(crate) struct Settled {
    pub(crate) completed: SettlementCompleted,
    pub(crate) message: MessageRequested,
    pub(crate) turnover: TurnoverReported,
}

pub(crate) async fn book(
    tx: &mut impl Connection,
    cleared: &ObligationCleared,
) -> sqlx::Result<Settled> {
    let ObligationCleared {
        transaction,
        payer,
        payee,
        net,
        fee,
    } = cleared;
    let (transaction, net, fee) = (*transaction, *net, *fee);
    post(
        tx,
        transaction,
        payer,
        "debit",
        -net.minor() - fee.minor(),
        net,
    )
    .await?;
    post(tx, transaction, payee, "credit", net.minor(), net).await?;
    post(tx, transaction, "fees", "fee", fee.minor(), net).await?;
    Ok(Settled {
        completed: SettlementCompleted {
            transaction,
            net,
            fee,
        },
        message: MessageRequested {
            transaction,
            recipient: payee.clone(),
            text: format!("you have received {net}"),
        },
        turnover: TurnoverReported {
            transaction,
            net,
            fee,
        },
    })
}

async fn post(
    tx: &mut impl Connection,
    number: i64,
    account: &str,
    side: &str,
    minor: i64,
    like: Money,
) -> sqlx::Result<()> {
    let insert = "insert into postings (number, account, side, minor, currency)
                  values ($1, $2, $3, $4, $5)";
    tx.execute(
        insert,
        &[
            number.into(),
            account.into(),
            side.into(),
            minor.into(),
            like.currency().code().into(),
        ],
    )
    .await
}

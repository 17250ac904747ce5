//! The service `clearing`: divides a payment into what the payee gets and the fee, if there is a corridor
//! for the currency.

use event_sdk::consumer::{Consumer, Failure};
use event_sdk_sql::{EffectOf, EffectTx};

use super::Service;
use crate::database::{Connection, Db};
use crate::events::{ObligationCleared, PaymentAccepted};
use crate::node::{ACK_WAIT, Node};

/// The corridor of the Kuwaiti dinar has to be opened by [`open_corridor`].
pub(crate) const TABLES: &str = "
    create table if not exists corridors (currency text primary key);
    insert into corridors (currency) values ('EUR'), ('JPY'), ('USD') on conflict do nothing;
    create table if not exists obligations (
        number bigint not null,
        net bigint not null,
        fee bigint not null,
        currency text not null
    )";

/// The fee in hundredths of a percent.
const FEE: u16 = 35;

/// What the service consumes.
pub(crate) type Consumed = PaymentAccepted;

pub(crate) fn consumer<D: Db>(node: &Node<D>) -> Consumer<Consumed> {
    node.consumer(Service::Clearing.consumer(), ACK_WAIT)
        .handled_by(node.effects(Clearing))
}

struct Clearing;

impl<D: Db> EffectOf<PaymentAccepted, D> for Clearing {
    async fn apply(&self, accepted: PaymentAccepted, tx: &mut EffectTx<D>) -> Result<(), Failure> {
        let Some(cleared) = book(&mut **tx, &accepted).await? else {
            // Another attempt would change nothing: a dead letter, for an operator.
            return Err(Failure::reject("there is no corridor for the currency")
                .because("no corridor for the currency"));
        };
        tx.publish(cleared).await?;
        Ok(())
    }
}

/// Returns nothing without a corridor for the currency.
pub(crate) async fn book(
    tx: &mut impl Connection,
    accepted: &PaymentAccepted,
) -> sqlx::Result<Option<ObligationCleared>> {
    let currency = accepted.amount.currency().code();
    let find = "select count(*) from corridors where currency = $1";
    if tx.number(find, &[currency.into()]).await? == 0 {
        return Ok(None);
    }
    let fee = accepted.amount.share(FEE);
    let net = accepted.amount.less(fee);
    let insert = "insert into obligations (number, net, fee, currency) values ($1, $2, $3, $4)";
    tx.execute(
        insert,
        &[
            accepted.transaction.into(),
            net.minor().into(),
            fee.minor().into(),
            currency.into(),
        ],
    )
    .await?;
    Ok(Some(ObligationCleared {
        transaction: accepted.transaction,
        payer: accepted.payer.clone(),
        payee: accepted.payee.clone(),
        net,
        fee,
    }))
}

/// Opens the corridor of a currency.
pub(crate) async fn open_corridor(
    connection: &mut impl Connection,
    currency: &str,
) -> sqlx::Result<()> {
    connection
        .execute(
            "insert into corridors (currency) values ($1) on conflict do nothing",
            &[currency.into()],
        )
        .await
}

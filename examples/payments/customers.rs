//! The customers: which payments they submit, and how many at a time.

use std::time::{Duration, Instant};

use sqlx::Pool;

use crate::database::{self, Db};
use crate::events::TransactionCreated;
use crate::money::{Currency, Money};

/// The payee to whom nothing may be paid.
pub(crate) const SANCTIONED: &str = "sanctioned-ltd";

/// How many payments wait for their end at a time.
const AT_A_TIME: i64 = 8;

/// After this time without an end the customers go on: what they wait for may be lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// The payment with this number, from 1.
pub(crate) fn payment(number: i64) -> TransactionCreated {
    let currency = match number % 20 {
        0..=8 | 18 => Currency::Eur,
        9..=14 => Currency::Usd,
        15..=17 => Currency::Jpy,
        _ => Currency::Kwd,
    };
    let payee = match number % 17 {
        0 => SANCTIONED.to_owned(),
        _ => format!("account-{}", 100 + number % 29),
    };
    TransactionCreated {
        transaction: number,
        payer: format!("account-{}", number % 23),
        payee,
        amount: Money::from_minor(1 + number * 7_919_993 % 1_000_000, currency),
    }
}

/// Submits the payments that are missing in the database, up to this number. `stored` is called after each.
///
/// It waits for a database that is away, and looks then which payments are missing: what was committed last
/// may be there although its answer was lost.
pub(crate) async fn submit<D: Db>(
    pool: &Pool<D>,
    payments: u32,
    store: impl AsyncFn(TransactionCreated) -> anyhow::Result<()>,
    stored: impl Fn(),
) -> anyhow::Result<()> {
    database::patiently(async || submit_missing(pool, payments, &store, &stored).await).await
}

async fn submit_missing<D: Db>(
    pool: &Pool<D>,
    payments: u32,
    store: &impl AsyncFn(TransactionCreated) -> anyhow::Result<()>,
    stored: &impl Fn(),
) -> anyhow::Result<()> {
    let last = "select coalesce(max(number), 0) from payments";
    let last = database::number(pool, last, &[]).await?;
    let mut since = last;
    for number in last + 1..=i64::from(payments) {
        since = wait_for_a_place(pool, since, number - 1).await?;
        store(payment(number)).await?;
        stored();
    }
    Ok(())
}

/// Waits until few of the payments after `since` are open. Returns the number after which payments still
/// count.
async fn wait_for_a_place<D: Db>(pool: &Pool<D>, since: i64, last: i64) -> sqlx::Result<i64> {
    let open = "select count(*) from payments where number > $1 \
                and not exists (select 1 from endings where endings.number = payments.number)";
    let begin = Instant::now();
    loop {
        if database::number(pool, open, &[since.into()]).await? < AT_A_TIME {
            return Ok(since);
        }
        if begin.elapsed() > PATIENCE {
            return Ok(last);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

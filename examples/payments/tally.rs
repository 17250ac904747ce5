//! `Tally`: counts in the databases what was lost and doubled, and whether the money adds up.

use std::collections::BTreeMap;

use anyhow::Context as _;
use sqlx::Pool;

use crate::customers::SANCTIONED;
use crate::database::{self, Databases, Db, Row};
use crate::money::{Currency, Money};
use crate::services::Service;
use crate::worker::Side;

/// What the databases of one side say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Payments that customers submitted.
    pub(crate) payments: u64,
    /// Events that were published and confirmed. Those of a copy that was published again count once.
    pub(crate) published: u64,
    /// Deliveries of an event beyond its first one.
    pub(crate) repeated: u64,
    /// Effects that did not happen.
    pub(crate) lost: u64,
    /// Effects beyond the first one of a payment.
    pub(crate) doubled: u64,
    /// By how many of the smallest units the ledger of `settlement` is wrong: the sum over all payments of
    /// the difference between what was debited and what should have been.
    pub(crate) cents_off: u64,
    /// The money of each currency.
    pub(crate) money: BTreeMap<Currency, Sums>,
    /// The effects of each service.
    pub(crate) effects: BTreeMap<Service, u64>,
}

/// Sums over the payments of a currency, in its smallest units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) submitted: i64,
    /// Of the payments that compliance has to refuse.
    pub(crate) refused: i64,
    /// Debited from payers.
    pub(crate) debited: i64,
    /// Credited to payees.
    pub(crate) credited: i64,
    pub(crate) fees: i64,
    /// Net amounts and fees in the reports.
    pub(crate) reported: i64,
}

impl Sums {
    /// Whether every unit is where it belongs.
    pub(crate) const fn add_up(&self) -> bool {
        self.submitted == self.refused + self.debited
            && self.debited == self.credited + self.fees
            && self.reported == self.debited
    }
}

/// Which payments have an effect.
#[derive(Debug, Clone, Copy)]
enum Of {
    All,
    /// Those that compliance does not refuse.
    Accepted,
}

/// The effects of one payment, each with a statement that counts it for each payment.
const EFFECTS: [(Service, Of, &str); 9] = [
    (
        Service::Transactions,
        Of::All,
        "select number, count(*) from endings group by number",
    ),
    (
        Service::Compliance,
        Of::All,
        "select number, count(*) from checks group by number",
    ),
    (
        Service::Risk,
        Of::Accepted,
        "select number, count(*) from exposures group by number",
    ),
    (
        Service::Clearing,
        Of::Accepted,
        "select number, count(*) from obligations group by number",
    ),
    (
        Service::Settlement,
        Of::Accepted,
        "select number, count(*) from postings where side = 'debit' group by number",
    ),
    (
        Service::Notifications,
        Of::All,
        "select number, count(*) from messages group by number",
    ),
    (
        Service::Reporting,
        Of::Accepted,
        "select number, count(*) from turnover group by number",
    ),
    (
        Service::Audit,
        Of::All,
        "select number, count(*) from entries where what = 'created' group by number",
    ),
    (
        Service::Audit,
        Of::All,
        "select number, count(*) from entries where what <> 'created' group by number",
    ),
];

/// A payment as the customer submitted it.
struct Payment {
    amount: Money,
    is_refused: bool,
}

impl Tally {
    /// Reads the databases.
    pub(crate) async fn read(side: Side, databases: &impl Databases) -> anyhow::Result<Self> {
        let mut tally = Self::default();
        let payments = payments(&Service::Transactions.open_database(databases).await?).await?;
        tally.payments = payments.len().try_into()?;
        for (service, of, sql) in EFFECTS {
            let found = by_number(&service.open_database(databases).await?, sql).await?;
            tally.compare(service, of, &payments, &found)?;
        }
        for service in Service::ALL {
            let pool = service.open_database(databases).await?;
            let published = match side {
                Side::Sdk => "select count(*) from event_outbox where published_at is not null",
                Side::Plain => "select count(*) from published",
            };
            tally.published += count(&pool, published).await?;
            let repeated = "select count(*) - count(distinct event) from arrivals";
            tally.repeated += count(&pool, repeated).await?;
        }
        tally.add_money(databases, &payments).await?;
        Ok(tally)
    }

    /// Whether nothing is lost, nothing doubled, and the money adds up.
    pub(crate) fn is_clean(&self) -> bool {
        let add_up = self.money.values().all(Sums::add_up);
        (self.lost, self.doubled, self.cents_off) == (0, 0, 0) && add_up
    }

    fn compare(
        &mut self,
        service: Service,
        of: Of,
        payments: &BTreeMap<i64, Payment>,
        found: &BTreeMap<i64, i64>,
    ) -> anyhow::Result<()> {
        for (number, payment) in payments {
            let expected = match of {
                Of::All => 1,
                Of::Accepted => u64::from(!payment.is_refused),
            };
            let found = found.get(number).copied().unwrap_or(0).try_into()?;
            self.lost += expected.saturating_sub(found);
            self.doubled += found.saturating_sub(expected);
            *self.effects.entry(service).or_default() += found;
        }
        Ok(())
    }

    async fn add_money(
        &mut self,
        databases: &impl Databases,
        payments: &BTreeMap<i64, Payment>,
    ) -> anyhow::Result<()> {
        for payment in payments.values() {
            let sums = self.money.entry(payment.amount.currency()).or_default();
            sums.submitted += payment.amount.minor();
            if payment.is_refused {
                sums.refused += payment.amount.minor();
            }
        }
        let ledger = Service::Settlement.open_database(databases).await?;
        let debited = "select number, cast(-sum(minor) as bigint) from postings \
                       where side = 'debit' group by number";
        let debited = by_number(&ledger, debited).await?;
        for (number, payment) in payments {
            let expected = if payment.is_refused {
                0
            } else {
                payment.amount.minor()
            };
            let found = debited.get(number).copied().unwrap_or(0);
            self.cents_off += found.abs_diff(expected);
        }
        let postings = "select currency, side, cast(sum(minor) as bigint) from postings \
                        group by currency, side";
        for row in database::rows(&ledger, postings).await? {
            let sums = self.money.entry(currency(&row)?).or_default();
            let minor = row.number(2)?;
            match row.text(1)? {
                "debit" => sums.debited -= minor,
                "credit" => sums.credited += minor,
                _ => sums.fees += minor,
            }
        }
        let reports = Service::Reporting.open_database(databases).await?;
        let turnover = "select currency, cast(sum(net + fee) as bigint) from turnover \
                        group by currency";
        for row in database::rows(&reports, turnover).await? {
            let sums = self.money.entry(currency(&row)?).or_default();
            sums.reported += row.number(1)?;
        }
        Ok(())
    }
}

async fn payments<D: Db>(pool: &Pool<D>) -> anyhow::Result<BTreeMap<i64, Payment>> {
    let select = "select currency, number, minor, payee from payments";
    let mut payments = BTreeMap::new();
    for row in database::rows(pool, select).await? {
        let payment = Payment {
            amount: Money::from_minor(row.number(2)?, currency(&row)?),
            is_refused: row.text(3)? == SANCTIONED,
        };
        payments.insert(row.number(1)?, payment);
    }
    Ok(payments)
}

/// The currency in the first column.
fn currency(row: &impl Row) -> anyhow::Result<Currency> {
    let code = row.text(0)?;
    code.parse().context("a currency in the database")
}

async fn by_number<D: Db>(pool: &Pool<D>, sql: &'static str) -> anyhow::Result<BTreeMap<i64, i64>> {
    let rows = database::rows(pool, sql).await?;
    let rows = rows.iter().map(|row| Ok((row.number(0)?, row.number(1)?)));
    rows.collect()
}

async fn count<D: Db>(pool: &Pool<D>, sql: &'static str) -> anyhow::Result<u64> {
    Ok(database::number(pool, sql, &[]).await?.try_into()?)
}

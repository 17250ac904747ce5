//! The control: the same services, written as the integration examples of NATS clients are: JSON by hand, a
//! publish after the commit, an acknowledgement at the end. There is no outbox and no inbox.

use anyhow::Context as _;
use event_sdk::Event;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::Pool;
use uuid::Uuid;

use crate::arrivals;
use crate::broker::{Broker, Message};
use crate::customers;
use crate::database::{self, Connection, Db};
use crate::events::TransactionCreated;
use crate::services::compliance::Checked;
use crate::services::{
    Service, audit, clearing, compliance, notifications, reporting, risk, settlement, transactions,
};

/// A message that is to be published.
struct Plain {
    subject: &'static str,
    id: String,
    body: String,
}

/// Consumes the events of a service until its connection fails.
pub(crate) async fn serve<D: Db>(
    broker: Broker,
    pool: Pool<D>,
    service: Service,
    stream: &'static str,
) -> anyhow::Result<()> {
    let mut messages = broker.subscribe(service, stream).await?;
    loop {
        let message = messages.next().await?;
        handle(&broker, &pool, service, &message).await?;
        message.ack().await?;
    }
}

async fn handle<D: Db>(
    broker: &Broker,
    pool: &Pool<D>,
    service: Service,
    message: &Message,
) -> anyhow::Result<()> {
    let mut event: Value = serde_json::from_slice(&message.body()?)?;
    let id = event["event_id"].as_str().unwrap_or_default();
    arrivals::note(pool, id).await?;
    let mut tx = D::begin_writing(pool).await?;
    let follow = step(&mut *tx, service, message.subject(), event["data"].take()).await?;
    tx.commit().await?;
    for plain in follow {
        publish(broker, pool, plain).await?;
    }
    Ok(())
}

/// Submits payments: each is stored, and then its event is published. `stored` is called after each.
pub(crate) async fn submit<D: Db>(
    broker: &Broker,
    pool: &Pool<D>,
    payments: u32,
    stored: impl Fn(),
) -> anyhow::Result<()> {
    let submit = async |created: TransactionCreated| {
        let mut tx = D::begin_writing(pool).await?;
        transactions::store(&mut *tx, &created).await?;
        tx.commit().await?;
        publish(broker, pool, plain(&created)?).await
    };
    customers::submit(pool, payments, submit, stored).await
}

async fn publish<D: Db>(broker: &Broker, pool: &Pool<D>, plain: Plain) -> anyhow::Result<()> {
    let Plain { subject, id, body } = plain;
    broker.publish(subject, body).await?;
    let note = "insert into published (event) values ($1)";
    database::execute(pool, note, &[(&id).into()]).await?;
    Ok(())
}

/// Books an event, and returns what is to be published.
async fn step(
    tx: &mut impl Connection,
    service: Service,
    subject: &str,
    data: Value,
) -> anyhow::Result<Vec<Plain>> {
    Ok(match service {
        Service::Transactions if is(subject, "settlement") => {
            transactions::complete(tx, &read(data)?).await?;
            Vec::new()
        }
        Service::Transactions => vec![plain(&transactions::refuse(tx, &read(data)?).await?)?],
        Service::Compliance => match compliance::book(tx, &read(data)?).await? {
            Checked::Passed(passed) => vec![plain(&passed)?],
            Checked::Refused(alert) => vec![plain(&alert)?],
        },
        Service::Risk => vec![plain(&risk::book(tx, &read(data)?).await?)?],
        Service::Clearing => {
            let cleared = clearing::book(tx, &read(data)?).await?;
            vec![plain(&cleared.context("no corridor for the currency")?)?]
        }
        Service::Settlement => {
            let settled = settlement::book(tx, &read(data)?).await?;
            vec![
                plain(&settled.completed)?,
                plain(&settled.message)?,
                plain(&settled.turnover)?,
            ]
        }
        Service::Notifications => {
            notifications::book(tx, &read(data)?).await?;
            Vec::new()
        }
        Service::Reporting => {
            reporting::book(tx, &read(data)?).await?;
            Vec::new()
        }
        Service::Audit => {
            let number = data["transaction"].as_i64().context("a transaction")?;
            let what = match subject {
                _ if is(subject, "transactions") => "created",
                _ if is(subject, "compliance") => "refused",
                _ => "settled",
            };
            vec![plain(&audit::book(tx, number, what).await?)?]
        }
    })
}

/// Whether a whole subject belongs to a domain.
fn is(subject: &str, domain: &str) -> bool {
    subject.split('.').nth(1) == Some(domain)
}

fn read<E: DeserializeOwned>(data: Value) -> serde_json::Result<E> {
    serde_json::from_value(data)
}

/// The envelope by hand.
fn plain<E: Event>(event: &E) -> serde_json::Result<Plain> {
    let id = Uuid::new_v4().to_string();
    let envelope = json!({
        "event_id": id,
        "event_type": E::SPEC.event_type(),
        "timestamp": jiff::Timestamp::now(),
        "data": serde_json::to_value(event)?,
    });
    Ok(Plain {
        subject: E::SPEC.subject(),
        id,
        body: envelope.to_string(),
    })
}

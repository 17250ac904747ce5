//! obix: a subscriber of its outbox that publishes with async-nats.

use std::error::Error;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use event_sdk_test_servers::postgres::Database;
use futures_util::future::try_join_all;
use obix::out::{FlushOp, Outbox};
use obix::prelude::sqlx::{self, PgPool};
use obix::{EventCtx, EventDelivery, Handled, MailboxConfig, OutboxEventJobConfig};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::setting::{SUBJECT, Setting};
use super::{BATCH, KEYS};

type Failed = Box<dyn Error + Send + Sync>;

/// How the subscriber publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Each event before the next one.
    Each,
    /// The events of a batch at once, without an order.
    Batch,
}

pub(crate) const HOW: [How; 2] = [How::Each, How::Batch];

#[derive(Serialize, Deserialize, Clone, Debug)]
struct OrderPlaced {
    customer: String,
    order: u64,
    note: String,
}

/// Tells how many events are published.
struct Publisher {
    how: How,
    jetstream: Context,
    done: mpsc::UnboundedSender<usize>,
}

struct Message {
    id: String,
    subject: String,
    body: Vec<u8>,
}

impl Publisher {
    async fn publish(&self, message: Message) -> Result<(), Failed> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", message.id.as_str());
        let (subject, body) = (message.subject, message.body.into());
        let sent = self.jetstream.publish_with_headers(subject, headers, body);
        sent.await?.await?;
        Ok(())
    }
}

impl obix::SingletonSubscriber<OrderPlaced> for Publisher {
    type Batch = Vec<Message>;

    async fn handle_persistent<'inv>(
        &self,
        ctx: EventCtx<'inv, Self::Batch>,
        event: &EventDelivery<OrderPlaced>,
    ) -> Result<Handled<'inv>, Failed> {
        let Some(placed) = &event.payload else {
            return Ok(ctx.skip());
        };
        let message = Message {
            id: event.id.to_string(),
            subject: format!("{SUBJECT}.{}", placed.customer),
            body: serde_json::to_vec(placed)?,
        };
        match self.how {
            How::Each => {
                self.publish(message).await?;
                self.done.send(1)?;
                Ok(ctx.collect_with(|_| {}))
            }
            How::Batch => Ok(ctx.collect(message)),
        }
    }

    async fn flush(&self, _: &mut FlushOp<'_>, batch: Self::Batch) -> Result<(), Failed> {
        let count = batch.len();
        try_join_all(batch.into_iter().map(|message| self.publish(message))).await?;
        self.done.send(count)?;
        Ok(())
    }
}

pub(crate) struct Obix {
    how: How,
    pool: PgPool,
    _database: Database,
}

impl Obix {
    pub(crate) async fn new(setting: &Setting, how: How) -> Self {
        let database = setting.database().await;
        let pool = PgPool::connect(&database.url()).await.expect("it connects");
        let made = sqlx::raw_sql(TABLES).execute(&pool).await;
        made.expect("the tables");
        Self {
            how,
            pool,
            _database: database,
        }
    }

    pub(crate) async fn round(&self, setting: &Setting, rows: u32) -> Duration {
        setting.begin().await;
        let pool = &self.pool;
        let config = job::JobSvcConfig::builder().pool(pool.clone());
        let config = config.exec_migrations(true).build().expect("it is right");
        let mut jobs = job::Jobs::init(config).await.expect("the jobs");
        let clear = "truncate persistent_outbox_events restart identity;
            truncate persistent_outbox_commit_checkpoints;
            truncate jobs, job_events, job_executions cascade";
        let cleared = sqlx::raw_sql(clear).execute(pool).await;
        cleared.expect("it is empty");
        let fill = "insert into persistent_outbox_events (payload)
            select jsonb_build_object('customer', 'k' || (n % $1), 'order', n,
                'note', repeat('x', 240))
            from generate_series(1, $2) as n";
        let fill = sqlx::query(fill).bind(i64::from(KEYS));
        let filled = fill.bind(i64::from(rows)).execute(pool).await;
        filled.expect("the rows");
        let vacuum = sqlx::raw_sql("vacuum analyze persistent_outbox_events");
        vacuum.execute(pool).await.expect("statistics");

        let (done, mut published) = mpsc::unbounded_channel();
        let publisher = Publisher {
            how: self.how,
            jetstream: setting.jetstream.clone(),
            done,
        };
        let begun = Instant::now();
        let outbox = Outbox::<OrderPlaced>::init(pool, MailboxConfig::builder().build()).await;
        let outbox = outbox.expect("the outbox");
        let config = OutboxEventJobConfig::new(job::JobType::new("publish"));
        let config = config.with_max_batch_size(BATCH as usize);
        let registered = outbox.register_singleton_subscriber(&mut jobs, config, publisher);
        registered.await.expect("it is registered");
        jobs.start_poll().await.expect("it starts");
        let mut count = 0;
        while count < rows as usize {
            count += published.recv().await.expect("it runs");
        }
        let took = begun.elapsed();
        jobs.shutdown().await.expect("it stops");
        setting.end(rows).await;
        took
    }
}

/// Those of the tables of its migration (Apache-2.0) that events which stay need.
const TABLES: &str = "
    create table persistent_outbox_events (
        id uuid not null default gen_random_uuid(),
        sequence bigserial,
        payload jsonb,
        tracing_context jsonb,
        recorded_at timestamptz not null default now(),
        commit_xid bigint not null default pg_current_xact_id()::text::bigint,
        primary key (sequence)
    ) partition by range (sequence);
    create index idx_persistent_outbox_events_commit_xid on persistent_outbox_events (commit_xid);
    create table persistent_outbox_events_p0 partition of persistent_outbox_events
        for values from (0) to (2000000)
        with (autovacuum_vacuum_insert_scale_factor = 0.0,
            autovacuum_vacuum_insert_threshold = 50000,
            autovacuum_freeze_min_age = 0, fillfactor = 100);
    create table persistent_outbox_events_default partition of persistent_outbox_events default;
    create table persistent_outbox_commit_checkpoints (
        sequence bigint primary key,
        commit_seq bigint not null unique,
        open_groups jsonb not null,
        recorded_at timestamptz not null default now()
    )";

//! `Service`: a service with a server, a database, handlers that fail, an effect that fails, and an outbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Consumer, Consumers, Failure, Outcome, Retry};
use event_sdk::dead_letters::DeadLetters;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, TransportExt as _};
use event_sdk::{Event, EventBus, Pii};
use event_sdk_observe::health::{Health, Thresholds};
use event_sdk_observe::metrics::Metrics;
use event_sdk_sql::{EffectTx, Inbox, Outbox, Postgres};
use event_sdk_test_servers::postgres::{Database, Postgres as DatabaseServer};
use event_sdk_test_servers::{Server, User};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{CORRELATION, PERSONAL, SECRETS, Shown};
use crate::http::Probed;
use crate::logged;
use crate::rig::scraped_metrics;

/// A person has moved.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "people")]
struct PersonMoved {
    #[event(key)]
    email: String,
    name: Pii<String>,
    address: Pii<String>,
    ends: Ends,
}

/// How the handler ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Ends {
    Well,
    Retry,
    Reject,
    Panic,
    Outage,
    OfDatabase,
}

pub(super) struct Service {
    pub(super) nats: Server,
    pub(super) postgres: DatabaseServer,
    pub(super) shown: Shown,
    database: Database,
    bus: EventBus,
    outbox: Outbox<Postgres>,
    inbox: Inbox<Postgres>,
    consumers: Consumers,
}

/// What runs in the service.
pub(super) struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    pub(super) async fn end(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

impl Service {
    /// How many letters there are in the end.
    pub(super) const FAILING: u64 = 7;

    pub(super) async fn start() -> Self {
        let [password, _, of_database, ..] = SECRETS;
        let user = User::password("people", password);
        let nats = Server::options().users([user]).start().await.unwrap();
        let options = Nats::options(nats.url()).user("people", password);
        let options =
            options.reconnect_delay(Duration::from_millis(20), Duration::from_millis(100));
        let stream = |name| StreamSpec::new(name).replicas(1);
        let bus = EventBus::builder()
            .source("planted")
            .stream(stream("PEOPLE").subject("people.>"))
            .stream(stream("PEOPLE_DLQ").absolute("dlq.>"))
            .stream(stream("PEOPLE_DLQ_RETRY").absolute("retry.>"))
            .observer(Metrics::new())
            .transport(Nats::connect(options).await.unwrap())
            .unwrap();
        bus.apply_streams().await.unwrap();
        let bucket = BucketConfig::default();
        bus.transport().apply_bucket(&bucket).await.unwrap();

        let postgres = DatabaseServer::start().await.unwrap();
        let database = postgres.database().await.unwrap();
        let mut session = database.session().await.unwrap();
        for statement in [
            format!("create role people login password '{of_database}'"),
            format!("alter database {} owner to people", database.name()),
            "alter schema public owner to people".to_owned(),
        ] {
            session.query(&statement).await.unwrap();
        }
        // The others need no password, as before.
        let rules = postgres.folder().join("data/pg_hba.conf");
        let others = std::fs::read_to_string(&rules).unwrap();
        let rule = "host all people 127.0.0.1/32 scram-sha-256";
        std::fs::write(&rules, format!("{rule}\n{others}")).unwrap();
        session.query("select pg_reload_conf()").await.unwrap();
        let url: PgConnectOptions = format!(
            "postgres://people:{}@127.0.0.1:{}/{}",
            of_database
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('@', "%40"),
            postgres.port(),
            database.name()
        )
        .parse()
        .unwrap();
        let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(1));
        let pool = pool.connect_lazy_with(url);
        let outbox = Outbox::<Postgres>::new(pool.clone(), bus.clone());
        outbox.migrate().await.unwrap();
        let inbox = Inbox::builder(pool).outbox(&outbox).build();

        let consumers = Consumers::new();
        let mut thresholds = Thresholds::default();
        thresholds.dead_letters = Some(0);
        let health = Health::builder(&bus)
            .consumers(&consumers)
            .stream("PEOPLE")
            .dead_letters("PEOPLE_DLQ")
            .outbox(Arc::clone(outbox.store()))
            .thresholds(thresholds)
            .interval(Duration::ZERO)
            .build();
        let probed = Probed::serve_with(health.clone(), Some(scraped_metrics())).await;
        Self {
            nats,
            postgres,
            shown: Shown {
                health,
                probed,
                more: Vec::new(),
            },
            database,
            bus,
            outbox,
            inbox,
            consumers,
        }
    }

    /// Starts consumers, relay, and the periodic line.
    pub(super) async fn run(&self) -> Running {
        let claimed = Arc::new(AtomicBool::new(false));
        let handled = self.consumer("letters").on(move |moved: PersonMoved, _| {
            let claimed = Arc::clone(&claimed);
            async move { end(&moved, &claimed) }
        });
        let effect = |moved: PersonMoved, mut tx: EffectTx<Postgres>| async move {
            if matches!(moved.ends, Ends::OfDatabase) {
                let failing = "select cast($1::text as integer)";
                let failing = sqlx::query(failing).bind(moved.name.expose());
                failing.execute(&mut *tx).await?;
            }
            tx.commit().await
        };
        let effects = self
            .consumer("effects")
            .on_handler(self.inbox.effect(effect));
        self.consumers.add(handled).unwrap();
        self.consumers.add(effects).unwrap();
        let ready = self.consumers.ready().await;
        ready.unwrap_or_else(|error| panic!("{error}: {}", logged::all()));

        let (stop, _) = watch::channel(false);
        let until = || {
            let mut stopped = stop.subscribe();
            async move { drop(stopped.wait_for(|it| *it).await) }
        };
        let relay = self.outbox.relay().run_until(until());
        let line = self.shown.health.periodic_line();
        let line = line.every(Duration::from_secs(1)).run_until(until());
        let (consumers, ended) = (self.consumers.clone(), until());
        let tasks = vec![
            tokio::spawn(async move { drop(relay.await.unwrap()) }),
            tokio::spawn(line),
            tokio::spawn(async move {
                drop(consumers.run_until(ended).await);
            }),
        ];
        Running { stop, tasks }
    }

    fn consumer(&self, name: &str) -> Consumer<PersonMoved> {
        self.bus
            .consumer::<PersonMoved>(name)
            .retry(Retry::steps([Duration::ZERO]).max_attempts(2))
            .dead_letters(DeadLetters::stream("PEOPLE_DLQ"))
            .ordered_by_key()
    }

    /// Publishes an event for each end, one that cannot be read, and some through the outbox.
    pub(super) async fn publish_all(&self) {
        let [name, email, address, ..] = PERSONAL;
        let moved = |ends| PersonMoved {
            email: format!("{email}, {ends:?}"),
            name: Pii::new(name.to_owned()),
            address: Pii::new(address.to_owned()),
            ends,
        };
        let publisher = self.bus.publisher::<PersonMoved>();
        for ends in [
            Ends::Retry,
            Ends::Reject,
            Ends::Panic,
            Ends::Outage,
            Ends::OfDatabase,
        ] {
            let publish = publisher.publish(moved(ends)).metadata("tag", name);
            publish.correlation_id(CORRELATION).await.unwrap();
        }
        let unreadable = format!(
            r#"{{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"person.moved","timestamp":"2025-11-06T12:00:00Z","data":{{"email":{email:?},"name":7,"address":{address:?},"ends":{name:?}}},"metadata":{{"key":{email:?},"tag":{name:?}}}}}"#
        );
        let raw = self.bus.raw();
        raw.publish("people.person.moved", unreadable)
            .await
            .unwrap();
        for _ in 0..3 {
            let mut tx = self.outbox.begin().await.unwrap();
            let row = self.outbox.enqueue(&mut tx, moved(Ends::Well));
            row.await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// Gives the role of the service another password.
    pub(super) async fn password(&self, password: &str) {
        self.query(&format!("alter role people password '{password}'"))
            .await;
    }

    /// Ends what was opened with an earlier password.
    pub(super) async fn end_sessions(&self) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'people'";
        self.query(end).await;
    }

    /// From now on, a statement that reads rows fails with an error that has data.
    pub(super) async fn break_rows(&self) {
        let [.., of_row] = PERSONAL;
        // All at once: a relay ends if its table is missing.
        let statements = [
            "alter table event_outbox rename to kept",
            &format!(
                "create function raised() returns setof kept language plpgsql as $$
                    begin raise exception '{of_row}'; end $$"
            ),
            "create view event_outbox as select * from raised()",
            "grant all on event_outbox to people",
        ];
        self.query(&statements.join(";")).await;
    }

    pub(super) async fn mend_rows(&self) {
        let statements = [
            "drop view event_outbox",
            "drop function raised()",
            "alter table kept rename to event_outbox",
        ];
        self.query(&statements.join(";")).await;
    }

    async fn query(&self, statement: &str) {
        let mut session = self.database.session().await.unwrap();
        session.query(statement).await.unwrap();
    }
}

fn end(moved: &PersonMoved, claimed: &AtomicBool) -> Outcome {
    let [name, _, _, declined, ..] = PERSONAL;
    match moved.ends {
        Ends::Well => Ok(()),
        Ends::Retry => Err(Failure::retry(declined)),
        Ends::Reject => Err(Failure::reject(format!("{name}: {declined}"))),
        Ends::Panic => panic!("{declined}"),
        Ends::Outage if claimed.swap(true, Ordering::SeqCst) => Ok(()),
        Ends::Outage => Err(Failure::outage(std::io::Error::other(declined))),
        Ends::OfDatabase => Err(sqlx::Error::Protocol(declined.to_owned()).into()),
    }
}

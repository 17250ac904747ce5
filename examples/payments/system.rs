//! `System`: services of this process, each with its consumer and the relay of its outbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use event_sdk::EventBus;
use event_sdk::consumer::Consumers;
use event_sdk_sql::{Outbox, RelayReport, StoreError};
use sqlx::Pool;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::customers;
use crate::database::{Databases, Db};
use crate::events::TransactionCreated;
use crate::node::Node;
use crate::services::{Service, transactions};

/// Services that run.
pub(crate) struct System<D: Db> {
    bus: EventBus,
    nodes: BTreeMap<Service, Arc<Node<D>>>,
    consumers: Consumers,
    relays: JoinSet<Result<RelayReport, StoreError>>,
    stop: watch::Sender<bool>,
}

impl<D: Db> System<D> {
    /// Opens the databases, and starts the services.
    pub(crate) async fn start(
        bus: &EventBus,
        databases: &impl Databases<Db = D>,
        services: &[Service],
        is_killed_often: bool,
    ) -> anyhow::Result<Self> {
        let mut system = Self {
            bus: bus.clone(),
            nodes: BTreeMap::new(),
            consumers: Consumers::new(),
            relays: JoinSet::new(),
            stop: watch::Sender::new(false),
        };
        for service in services {
            let pool = service.open_database(databases).await?;
            let node = Node::open(bus, pool, is_killed_often).await;
            let node = node.with_context(|| format!("outbox of {}", service.name()))?;
            service.start(&node, &system.consumers)?;
            let mut stop = system.stop.subscribe();
            let relay = node.relay().run_until(async move {
                // The sender lives as long as the system.
                let _ = stop.wait_for(|stop| *stop).await;
            });
            system.relays.spawn(relay);
            system.nodes.insert(*service, Arc::new(node));
        }
        Ok(system)
    }

    /// The service, if it is one of these.
    pub(crate) fn node(&self, service: Service) -> Option<&Arc<Node<D>>> {
        self.nodes.get(&service)
    }

    pub(crate) fn pools(&self) -> Vec<Pool<D>> {
        self.nodes.values().map(|node| node.pool.clone()).collect()
    }

    /// Does some work while the services run. It ends early if one of them fails.
    pub(crate) async fn during<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let failed = tokio::select! {
            done = work => return done,
            failed = self.consumers.failed() => failed,
            Some(ended) = self.relays.join_next() => {
                ended?.context("a relay")?;
                anyhow::bail!("a relay has ended by itself");
            }
        };
        self.consumers.remove(failed).await.context("a consumer")?;
        anyhow::bail!("a consumer has ended by itself")
    }

    /// Ends everything gracefully.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let report = self.consumers.run_until(std::future::ready(())).await;
        report.into_result()?;
        self.stop.send_replace(true);
        while let Some(ended) = self.relays.join_next().await {
            ended??;
        }
        self.bus.drain(Duration::from_secs(10)).await?;
        Ok(())
    }
}

/// Submits payments: each is stored together with its event. `stored` is called after each.
pub(crate) async fn submit<D: Db>(
    outbox: &Outbox<D>,
    payments: u32,
    stored: impl Fn(),
) -> anyhow::Result<()> {
    customers::submit(
        outbox.pool(),
        payments,
        async |created: TransactionCreated| {
            let mut tx = outbox.begin().await?;
            transactions::store(&mut *tx, &created).await?;
            tx.publish(created).await?;
            tx.commit().await?;
            Ok(())
        },
        stored,
    )
    .await
}

//! `Node`: what every service has: its database, its outbox, its inbox and dead letters.

use std::time::Duration;

use event_sdk::consumer::Consumer;
use event_sdk::{EventBus, EventSet};
use event_sdk_sql::{Effects, Inbox, Outbox, Relay, SqlDeadLetterQueue, StoreError, class_of};
use sqlx::Pool;

use crate::arrivals::Noted;
use crate::database::Db;
use crate::streams;

/// What a consumer waits for an acknowledgement, unless the service says otherwise.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(30);

/// A service that is killed often.
pub(crate) const SHORT_ACK_WAIT: Duration = Duration::from_secs(2);

/// One service with its database.
pub(crate) struct Node<D: Db> {
    pub(crate) pool: Pool<D>,
    pub(crate) outbox: Outbox<D>,
    bus: EventBus,
    inbox: Inbox<D>,
    is_killed_often: bool,
}

impl<D: Db> Node<D> {
    /// A service with this database, in which it creates outbox and inbox.
    ///
    /// If it is killed often, consumers have a short ack wait: what a killed process has not acknowledged
    /// comes again after it.
    pub(crate) async fn open(
        bus: &EventBus,
        pool: Pool<D>,
        is_killed_often: bool,
    ) -> Result<Self, StoreError> {
        let outbox = Outbox::new(pool.clone(), bus.clone());
        outbox.migrate().await?;
        let inbox = Inbox::builder(pool.clone()).outbox(&outbox).build();
        Ok(Self {
            pool,
            outbox,
            bus: bus.clone(),
            inbox,
            is_killed_often,
        })
    }

    /// A consumer with the options that all services have: events of a payment one after the other, and
    /// dead letters in the service's database.
    pub(crate) fn consumer<S: EventSet>(
        &self,
        name: &'static str,
        ack_wait: Duration,
    ) -> Consumer<S> {
        let letters = self.inbox.dead_letters();
        let ack_wait = if self.is_killed_often {
            SHORT_ACK_WAIT
        } else {
            ack_wait
        };
        self.bus
            .consumer(name)
            .ordered_by_key()
            .concurrency(4)
            .ack_wait(ack_wait)
            .classify(class_of)
            .dead_letters(letters.retried_through(streams::dead_letters()))
    }

    /// A handler whose effects happen once.
    pub(crate) fn effects<H>(&self, effects: H) -> Noted<Effects<H, D>, D> {
        Noted {
            handler: self.inbox.effects(effects),
            pool: self.pool.clone(),
        }
    }

    /// The relay of the outbox. Its lease is short: when a process is killed, the next one waits for the
    /// end of the lease.
    pub(crate) fn relay(&self) -> Relay {
        self.outbox
            .relay()
            .lease(Duration::from_secs(1))
            .publish_timeout(Duration::from_millis(500))
            .duplicate_window(streams::DUPLICATE_WINDOW)
    }

    /// The dead letters of the service, for an operator on this bus.
    pub(crate) fn dead_letters(&self, operator: &EventBus) -> SqlDeadLetterQueue<D> {
        let letters = self.inbox.dead_letters();
        letters.queue(operator, streams::dead_letters())
    }
}

//! The eight services. Each has a module with its tables, what it books, and its consumer.
//!
//! What a service books (`book`) is a function of a transaction and an event. The control (`plain`) calls the
//! same functions.

pub(crate) mod audit;
pub(crate) mod clearing;
pub(crate) mod compliance;
pub(crate) mod notifications;
pub(crate) mod reporting;
pub(crate) mod risk;
pub(crate) mod settlement;
pub(crate) mod transactions;

use std::collections::BTreeSet;

use event_sdk::EventSet;
use event_sdk::consumer::Consumers;
use event_sdk::event::EventSpec;
use serde::{Deserialize, Serialize};
use sqlx::Pool;

use crate::arrivals;
use crate::database::{Databases, Db};
use crate::node::Node;
use crate::streams::{self, Domain};

/// A service of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Service {
    Transactions,
    Compliance,
    Risk,
    Clearing,
    Settlement,
    Notifications,
    Reporting,
    Audit,
}

impl Service {
    pub(crate) const ALL: [Self; 8] = [
        Self::Transactions,
        Self::Compliance,
        Self::Risk,
        Self::Clearing,
        Self::Settlement,
        Self::Notifications,
        Self::Reporting,
        Self::Audit,
    ];

    /// The name of its database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Compliance => "compliance",
            Self::Risk => "risk",
            Self::Clearing => "clearing",
            Self::Settlement => "settlement",
            Self::Notifications => "notifications",
            Self::Reporting => "reporting",
            Self::Audit => "audit",
        }
    }

    /// The stream of the events that it publishes about its own domain.
    pub(crate) const fn domain(self) -> Domain {
        match self {
            Self::Transactions => streams::TRANSACTIONS,
            Self::Compliance => streams::COMPLIANCE,
            Self::Risk => streams::RISK,
            Self::Clearing => streams::CLEARING,
            Self::Settlement => streams::SETTLEMENT,
            Self::Notifications => streams::NOTIFICATIONS,
            Self::Reporting => streams::REPORTING,
            Self::Audit => streams::AUDIT,
        }
    }

    /// The name of its durable consumer.
    pub(crate) const fn consumer(self) -> &'static str {
        match self {
            Self::Transactions => "token-engine",
            Self::Compliance => "compliance-tracker",
            Self::Risk => "risk-engine",
            Self::Clearing => "clearing-engine",
            Self::Settlement => "settlement-engine",
            Self::Notifications => "notification-engine",
            Self::Reporting => "reporting-engine",
            Self::Audit => "audit-trail",
        }
    }

    /// The events that it consumes.
    pub(crate) const fn consumes(self) -> &'static [&'static EventSpec] {
        match self {
            Self::Transactions => transactions::Outcomes::MEMBERS,
            Self::Compliance => compliance::Consumed::MEMBERS,
            Self::Risk => risk::Consumed::MEMBERS,
            Self::Clearing => clearing::Consumed::MEMBERS,
            Self::Settlement => settlement::Consumed::MEMBERS,
            Self::Notifications => notifications::Consumed::MEMBERS,
            Self::Reporting => reporting::Consumed::MEMBERS,
            Self::Audit => audit::Audited::MEMBERS,
        }
    }

    /// The names of the streams from which it consumes.
    pub(crate) fn sources(self) -> BTreeSet<&'static str> {
        let consumed = self.consumes().iter();
        let streams = consumed.filter_map(|event| streams::of(event.subject()));
        streams.map(|domain| domain.stream).collect()
    }

    /// The relative subjects that it consumes from a stream.
    pub(crate) fn subjects_in(self, stream: &str) -> impl Iterator<Item = &'static str> {
        let subjects = self.consumes().iter().map(|event| event.subject());
        subjects.filter(move |subject| streams::of(subject).is_some_and(|it| it.stream == stream))
    }

    /// Opens its database, and creates its tables.
    pub(crate) async fn open_database<D: Databases>(
        self,
        databases: &D,
    ) -> anyhow::Result<Pool<D::Db>> {
        databases
            .open(self.name(), &[self.tables(), arrivals::TABLES])
            .await
    }

    /// The SQL that creates its tables.
    const fn tables(self) -> &'static str {
        match self {
            Self::Transactions => transactions::TABLES,
            Self::Compliance => compliance::TABLES,
            Self::Risk => risk::TABLES,
            Self::Clearing => clearing::TABLES,
            Self::Settlement => settlement::TABLES,
            Self::Notifications => notifications::TABLES,
            Self::Reporting => reporting::TABLES,
            Self::Audit => audit::TABLES,
        }
    }

    /// Starts its consumer.
    pub(crate) fn start<D: Db>(
        self,
        node: &Node<D>,
        consumers: &Consumers,
    ) -> Result<(), event_sdk::Error> {
        let started = match self {
            Self::Transactions => consumers.add(transactions::consumer(node)),
            Self::Compliance => consumers.add(compliance::consumer(node)),
            Self::Risk => consumers.add(risk::consumer(node)),
            Self::Clearing => consumers.add(clearing::consumer(node)),
            Self::Settlement => consumers.add(settlement::consumer(node)),
            Self::Notifications => consumers.add(notifications::consumer(node)),
            Self::Reporting => consumers.add(reporting::consumer(node)),
            Self::Audit => consumers.add(audit::consumer(node)),
        };
        started.map(drop)
    }
}

//! The order of a key at the moments when a relay does not know whether the key is parked: an operator
//! has skipped or retried the parked row while the relay moves rows behind it; the relay has released the
//! parked rows, and has no answer yet, or never gets it.

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, WhichParked};
use event_sdk_test_servers::Server;
use event_sdk_test_stores::service::{
    AmountBooked, Arguments, Form, Role, ServiceDatabase, Step, bookings,
};

use crate::process::Process;
use crate::rig::{self, Database, connect, eventually, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skip_while_rows_are_moved_keeps_the_order_on_sqlite() {
    skip_while_rows_are_moved(rig::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skip_while_rows_are_moved_keeps_the_order_on_postgres() {
    skip_while_rows_are_moved(rig::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_while_rows_are_moved_keeps_the_order_on_sqlite() {
    retry_while_rows_are_moved(rig::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_while_rows_are_moved_keeps_the_order_on_postgres() {
    retry_while_rows_are_moved(rig::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_whose_answer_is_late_keeps_the_order_on_sqlite() {
    release(rig::sqlite().await, "go").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_whose_answer_is_late_keeps_the_order_on_postgres() {
    release(rig::postgres().await, "go").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_whose_answer_is_lost_keeps_the_order_on_sqlite() {
    release(rig::sqlite().await, "fail").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_whose_answer_is_lost_keeps_the_order_on_postgres() {
    release(rig::postgres().await, "fail").await;
}

/// The largest message that the stream takes at first, in bytes.
const LARGEST: u64 = 1_500;

/// The account with a booking that the stream refuses.
const PARKED: i64 = 1;

/// The refused booking of the account.
const REFUSED: i64 = 2;

/// Another account: what is read together with its bookings was handled when they are published.
const OTHER: i64 = 2;

async fn skip_while_rows_are_moved<DB: ServiceDatabase>(database: Database<DB>) {
    let world = World::start(database).await;
    world.book(PARKED, 1..=4).await;
    let mut relay = world.relay(Some((Step::BeforeMove, 1)));
    relay.stands_at(Step::BeforeMove).await;
    let parked = within("the list", world.outbox.parked(0, 10))
        .await
        .unwrap();
    assert_eq!(parked.len(), 1);
    assert!(
        within("a skip", world.outbox.skip_parked(parked[0].id))
            .await
            .unwrap()
    );
    world.book(PARKED, 5..=5).await;
    world.publish_others().await;
    relay.tell("go");
    world.ends_with(&[1, 3, 4, 5]).await;
    relay.end().await;
}

async fn retry_while_rows_are_moved<DB: ServiceDatabase>(database: Database<DB>) {
    let world = World::start(database).await;
    world.book(PARKED, 1..=4).await;
    let mut relay = world.relay(Some((Step::BeforeMove, 1)));
    relay.stands_at(Step::BeforeMove).await;
    world.repair_and_retry().await;
    eventually("the release", async || {
        world.database.count("event_outbox_parked", "true").await == 0
    })
    .await;
    world.book(PARKED, 5..=5).await;
    world.publish_others().await;
    relay.tell("go");
    world.ends_with(&[1, 2, 3, 4, 5]).await;
    relay.end().await;
}

async fn release<DB: ServiceDatabase>(database: Database<DB>, answer: &str) {
    let world = World::start(database).await;
    world.book(PARKED, 1..=4).await;
    let mut relay = world.relay(None);
    eventually("the parked rows", async || {
        world.database.count("event_outbox", "state = 1").await == 3
    })
    .await;
    world.publish_others().await;
    relay.tell(&format!("stop {}", Step::Released));
    world.repair_and_retry().await;
    relay.stands_at(Step::Released).await;
    world.book(PARKED, 5..=5).await;
    if answer == "go" {
        world.publish_others().await;
    }
    relay.tell(answer);
    world.ends_with(&[1, 2, 3, 4, 5]).await;
    relay.end().await;
}

struct World<DB: ServiceDatabase> {
    database: Database<DB>,
    server: Server,
    bus: EventBus,
    outbox: Outbox<DB>,
}

impl<DB: ServiceDatabase> World<DB> {
    async fn start(database: Database<DB>) -> Self {
        let server = within("a server", Server::start()).await.unwrap();
        let bus = connect(&server, bookings(LARGEST)).await;
        within("the stream", bus.apply()).await.unwrap();
        let outbox = Outbox::<DB>::new(database.pool.clone(), bus.clone());
        Self {
            database,
            server,
            bus,
            outbox,
        }
    }

    fn relay(&self, stop_at: Option<(Step, u32)>) -> Process {
        Process::start(&Arguments {
            role: Role::Relay,
            server: self.server.url(),
            database: self.database.url.clone(),
            process: 1,
            form: Form::ALL[0],
            stop_at,
        })
    }

    /// Books amounts in one transaction.
    async fn book(&self, account: i64, versions: impl IntoIterator<Item = i64>) {
        let mut tx = within("a transaction", self.outbox.begin()).await.unwrap();
        for version in versions {
            let is_refused = (account, version) == (PARKED, REFUSED);
            let padding = if is_refused { 2_000 } else { 0 };
            let booked = AmountBooked {
                account,
                version,
                padding: "x".repeat(padding),
            };
            within("a row", tx.publish(booked)).await.unwrap();
        }
        within("a commit", tx.commit()).await.unwrap();
    }

    /// Books amounts of another account until a relay has read twice what was committed before.
    async fn publish_others(&self) {
        let published = "state = 2";
        for _ in 0..2 {
            let before = self.database.count("event_outbox", published).await;
            self.book(OTHER, [0]).await;
            eventually("a booking of another account", async || {
                self.database.count("event_outbox", published).await > before
            })
            .await;
        }
    }

    /// Makes the stream take the refused booking, and asks for another attempt.
    async fn repair_and_retry(&self) {
        let repaired = connect(&self.server, bookings(1_000_000)).await;
        within("the stream", repaired.apply()).await.unwrap();
        let retried = self.outbox.retry_parked(WhichParked::All);
        assert_eq!(within("a retry", retried).await.unwrap(), 1);
    }

    /// Waits until all rows are published, and compares the bookings of the account with these.
    async fn ends_with(&self, expected: &[i64]) {
        eventually("the bookings", async || {
            self.database.count("event_outbox", "state <> 2").await == 0
        })
        .await;
        let mut history = within("the stream", self.bus.history::<AmountBooked>())
            .await
            .unwrap();
        let mut found = Vec::new();
        while let Some(event) = within("a booking", history.next()).await {
            let booked = event.unwrap().decode().unwrap();
            if booked.account == PARKED {
                found.push(booked.version);
            }
        }
        assert_eq!(found, expected);
    }
}

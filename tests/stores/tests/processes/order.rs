//! Order: eight writers whose transactions exclude one another by account, of which some commit late; four
//! relays, of which one is killed, and others are frozen past the end of their leases while they hold rows;
//! one booking in 200 is refused by the server. Nothing is skipped, each account has its bookings in the
//! order of the commits, and what is parked goes on after a retry. `cargo xtask long order` runs it with
//! 50,000 bookings on each database.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, WhichParked};
use event_sdk_test_servers::Server;
use event_sdk_test_stores::service::{
    AmountBooked, Arguments, BOOKINGS, Form, Role, ServiceDatabase, Step, bookings,
};
use rustix::process::Signal;
use tokio::sync::watch;

use crate::process::Process;
use crate::rig::{self, Database, connect, eventually, number, random, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_account_keeps_its_order_on_sqlite() {
    run(rig::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_account_keeps_its_order_on_postgres() {
    run(rig::postgres().await).await;
}

const WRITERS: usize = 8;

const RELAYS: usize = 4;

/// One booking in this many is refused.
const REFUSED: i64 = 200;

/// One transaction in this many commits late.
const LATE: i64 = 40;

/// The largest message that the stream takes at first, in bytes.
const LARGEST: u64 = 1_500;

/// The time between two bookings of a writer: on SQLite the relays need the lock, too.
const PACE: Duration = Duration::from_millis(20);

/// How long others may take to take over the shards of a relay that is frozen: longer than the lease,
/// and the 5 s after which PostgreSQL ends a transaction that is frozen.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// How many bookings are published between two faults, at least.
const BETWEEN: i64 = 50;

/// How many bookings one round of faults takes in the long form.
const ROUND: i64 = 10_000;

async fn run<DB: ServiceDatabase>(database: Database<DB>) {
    let begun = Instant::now();
    let total = i64::try_from(number("ORDER_BOOKINGS", 1_000)).unwrap();
    let mut random = random("ORDER_SEED");
    let world = World::start(database, (total / 20).max(200)).await;
    let writers = Writers::start(&world, &mut random);
    let mut relays = Relays::start(&world);
    let rounds = (total / ROUND).max(1);
    for round in 0..rounds {
        relays.published(total * round / rounds).await;
        relays.kill_owner().await;
        relays.stop_owner(Step::Read).await;
        // The refused rows come back, are refused again, and are parked before those behind them.
        let retried = world.outbox.retry_parked(WhichParked::All).await.unwrap();
        relays.stop_owner(Step::Published).await;
        println!("round {round}: {retried} parked accounts retried");
    }
    relays.published(total).await;
    let refused = writers.end().await;
    assert!(!refused.is_empty(), "no booking was refused");
    world.until_rest_is_parked(&mut relays).await;
    world.check(&refused).await;

    // The cause is repaired.
    let repaired = connect(&world.server, bookings(1_000_000)).await;
    within("the stream", repaired.apply()).await.unwrap();
    let retried = world.outbox.retry_parked(WhichParked::All).await.unwrap();
    assert_eq!(retried, refused.len() as u64, "parked accounts");
    eventually("the parked bookings", async || {
        relays.are_alive();
        world.database.count("event_outbox", "state <> 2").await == 0
    })
    .await;
    let bookings = world.check(&BTreeMap::new()).await;
    relays.end().await;
    println!(
        "{bookings} bookings of {} accounts in {:.0?}: {retried} accounts were parked, {rounds} relays killed, {} stopped; none skipped, none out of order",
        world.accounts,
        begun.elapsed(),
        2 * rounds,
    );
}

struct World<DB: ServiceDatabase> {
    database: Database<DB>,
    server: Server,
    bus: EventBus,
    outbox: Outbox<DB>,
    accounts: i64,
}

impl<DB: ServiceDatabase> World<DB> {
    async fn start(database: Database<DB>, accounts: i64) -> Self {
        let server = within("a server", Server::start()).await.unwrap();
        let bus = connect(&server, bookings(LARGEST)).await;
        within("the stream", bus.apply()).await.unwrap();
        // Writers that wait for a lock do not hold up the test.
        let pool = within("a pool", DB::connect(&database.url)).await.unwrap();
        let outbox = Outbox::<DB>::new(pool, bus.clone());
        let rows: Vec<_> = (0..accounts)
            .map(|account| format!("({account}, 0)"))
            .collect();
        let insert = format!("insert into accounts values {}", rows.join(", "));
        let mut connection = database.pool.acquire().await.unwrap();
        DB::execute(&mut connection, insert).await.unwrap();
        drop(connection);
        Self {
            database,
            server,
            bus,
            outbox,
            accounts,
        }
    }

    /// Waits until only parked rows are left.
    async fn until_rest_is_parked(&self, relays: &mut Relays<'_, DB>) {
        eventually("the rows that are not parked", async || {
            relays.are_alive();
            self.database.count("event_outbox", "state = 0").await == 0
                && self
                    .database
                    .count("event_outbox_parked", "state <> 0")
                    .await
                    == 0
        })
        .await;
    }

    /// Checks that the stream has the bookings of each account in the order of the commits, without a
    /// gap, up to the one before the refused one. Returns how many there are.
    async fn check(&self, refused: &BTreeMap<i64, i64>) -> i64 {
        let mut stored = BTreeMap::<i64, Vec<i64>>::new();
        let mut history = within("the stream", self.bus.history::<AmountBooked>())
            .await
            .unwrap();
        while let Some(event) = within("a booking", history.next()).await {
            let booked = event.unwrap().decode().unwrap();
            stored
                .entry(booked.account)
                .or_default()
                .push(booked.version);
        }
        let all = "select cast(account as text) || ' ' || cast(version as text) from accounts";
        let (mut committed, mut published) = (0, 0);
        for line in self.database.texts(all).await {
            let (account, versions) = line.split_once(' ').unwrap();
            let (account, versions): (i64, i64) =
                (account.parse().unwrap(), versions.parse().unwrap());
            let last = refused
                .get(&account)
                .map_or(versions, |refused| refused - 1);
            let stored = stored.remove(&account).unwrap_or_default();
            let expected: Vec<_> = (1..=last).collect();
            assert_eq!(stored, expected, "the bookings of account {account}");
            committed += versions;
            published += last;
        }
        assert!(stored.is_empty(), "bookings that were rolled back");
        let rows = self
            .database
            .number("select count(*) from event_outbox")
            .await;
        assert_eq!(rows, committed, "rows");
        let state = within("a state", self.bus.stream_state(BOOKINGS))
            .await
            .unwrap();
        assert_eq!(i64::try_from(state.messages).unwrap(), published);
        published
    }
}

/// The writers, and the first refused booking of each account.
struct Writers {
    tasks: Vec<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    refused: Arc<Mutex<BTreeMap<i64, i64>>>,
}

impl Writers {
    fn start<DB: ServiceDatabase>(world: &World<DB>, random: &mut fastrand::Rng) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (numbers, refused) = (Arc::<AtomicI64>::default(), Arc::<Mutex<_>>::default());
        let tasks = (0..WRITERS).map(|_| {
            let writer = Writer {
                outbox: world.outbox.clone(),
                accounts: world.accounts,
                numbers: Arc::clone(&numbers),
                refused: Arc::clone(&refused),
                random: random.fork(),
            };
            tokio::spawn(writer.write(stopped.clone()))
        });
        Self {
            tasks: tasks.collect(),
            stop,
            refused,
        }
    }

    async fn end(self) -> BTreeMap<i64, i64> {
        self.stop.send_replace(true);
        for task in self.tasks {
            within("a writer", task).await.unwrap();
        }
        std::mem::take(&mut *self.refused.lock().unwrap())
    }
}

struct Writer<DB: ServiceDatabase> {
    outbox: Outbox<DB>,
    accounts: i64,
    /// The number of the next booking among all.
    numbers: Arc<AtomicI64>,
    refused: Arc<Mutex<BTreeMap<i64, i64>>>,
    random: fastrand::Rng,
}

impl<DB: ServiceDatabase> Writer<DB> {
    async fn write(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let account = self.random.i64(0..self.accounts);
            let mut tx = self.outbox.begin().await.unwrap();
            let book = format!(
                "update accounts set version = version + 1 where account = {account} returning version"
            );
            let version = DB::number(&mut tx, book).await.unwrap();
            let is_refused = number % REFUSED == REFUSED / 2;
            let booked = AmountBooked {
                account,
                version,
                padding: if is_refused {
                    "x".repeat(2_000)
                } else {
                    String::new()
                },
            };
            tx.publish(booked).await.unwrap();
            if number % LATE == 0 {
                // Other writers get higher ids, and commit before.
                tokio::time::sleep(Duration::from_millis(self.random.u64(5..20))).await;
            }
            tx.commit().await.unwrap();
            if is_refused {
                let mut refused = self.refused.lock().unwrap();
                let first = refused.entry(account).or_insert(version);
                *first = version.min(*first);
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

/// The processes of the relays.
struct Relays<'a, DB: ServiceDatabase> {
    world: &'a World<DB>,
    all: Vec<Process>,
    started: i64,
}

impl<'a, DB: ServiceDatabase> Relays<'a, DB> {
    fn start(world: &'a World<DB>) -> Self {
        let mut relays = Self {
            world,
            all: Vec::new(),
            started: 0,
        };
        for _ in 0..RELAYS {
            relays.start_one();
        }
        relays
    }

    fn start_one(&mut self) {
        self.started += 1;
        self.all.push(Process::start(&Arguments {
            role: Role::Relay,
            server: self.world.server.url(),
            database: self.world.database.url.clone(),
            process: self.started,
            form: Form::ALL[0],
            stop_at: None,
        }));
    }

    fn are_alive(&mut self) {
        self.all.iter_mut().for_each(Process::is_alive);
    }

    /// Waits until this many bookings are published.
    async fn published(&mut self, bookings: i64) {
        eventually(&format!("{bookings} published bookings"), async || {
            self.are_alive();
            self.world.database.count("event_outbox", "state = 2").await >= bookings
        })
        .await;
    }

    /// Waits until more bookings are published.
    async fn go_on(&mut self) {
        let now = self.world.database.count("event_outbox", "state = 2").await;
        self.published(now + BETWEEN).await;
    }

    /// How many shards a relay owns.
    async fn shards(&self, relay: &str) -> i64 {
        let owned = format!("shard >= 0 and cast(owner as text) = '{relay}'");
        self.world
            .database
            .count("event_outbox_shards", owned)
            .await
    }

    /// Takes the process of the relay that owns the most shards out, with the id of the relay.
    async fn take_owner(&mut self) -> (Process, String) {
        let mut found = None;
        eventually("an owner", async || {
            self.are_alive();
            let mut most = 0;
            for (index, process) in self.all.iter().enumerate() {
                if let Some(relay) = process.relay() {
                    let shards = self.shards(&relay).await;
                    if shards > most {
                        most = shards;
                        found = Some((index, relay));
                    }
                }
            }
            found.is_some()
        })
        .await;
        let (index, relay) = found.unwrap();
        (self.all.remove(index), relay)
    }

    async fn until_others_own_the_shards_of(&mut self, relay: &str) {
        eventually("other owners", async || {
            self.are_alive();
            self.shards(relay).await == 0
        })
        .await;
    }

    /// Kills a relay that owns shards, and starts another one.
    async fn kill_owner(&mut self) {
        let (process, relay) = self.take_owner().await;
        process.kill();
        self.start_one();
        self.until_others_own_the_shards_of(&relay).await;
        self.go_on().await;
    }

    /// Takes the process of a relay that owns shards and stands at a step.
    async fn owner_at(&mut self, step: Step) -> (Process, String) {
        loop {
            let (mut process, relay) = self.take_owner().await;
            process.tell(&format!("stop {step}"));
            let lost = async || self.shards(&relay).await == 0;
            if process.stands_at_unless(step, lost).await {
                return (process, relay);
            }
            // Its lease has ended before: it may never come to the step.
            process.kill();
            self.start_one();
        }
    }

    /// Stops a relay that owns shards at a step, and lets it go on when others own its shards and have
    /// published more.
    async fn stop_owner(&mut self, step: Step) {
        let (process, relay) = self.owner_at(step).await;
        loop {
            process.signal(Signal::STOP);
            let others = self.until_others_own_the_shards_of(&relay);
            if tokio::time::timeout(TAKEN_OVER, others).await.is_ok() {
                break;
            }
            // Stopped within a transaction: on SQLite it holds the lock of the database.
            process.signal(Signal::CONT);
            tokio::time::sleep(PACE).await;
        }
        self.go_on().await;
        process.signal(Signal::CONT);
        process.tell("go");
        self.all.push(process);
        self.go_on().await;
    }

    async fn end(self) {
        for process in self.all {
            println!("{}", process.end().await);
        }
    }
}

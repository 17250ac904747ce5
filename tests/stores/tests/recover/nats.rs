//! Recovery on real NATS servers: files that were restored from an older copy, a stream that was made
//! anew, a user without permissions.

use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{DeliverPolicy, TransportExt as _};
use event_sdk::{EventBus, subject};
use event_sdk_sql::recover::{Recover, RecoverError, RecoverPlan, Repair, UnknownReason};
use event_sdk_test_servers::programs::{Program, nats};
use event_sdk_test_servers::{Permissions, Server, User};

use crate::home::{Home, OnSqlite, on_both};
use crate::rig::{DURABLE, OrderPlaced, Rig, STREAM, eventually, kinds, the};

on_both!(
    the_messages_went_back_and_the_consumers_did_not,
    the_files_went_back,
    the_files_are_gone,
    a_reset_that_is_killed_at_every_poll,
);

async fn connect(server: &Server) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    bus_over(nats).await
}

async fn bus_over(nats: Nats) -> EventBus {
    let stream = StreamSpec::new(STREAM).subject("orders.>");
    let bus = EventBus::builder().stream(stream).transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    bus
}

/// A server, and a rig on it.
struct OnNats<H: Home> {
    server: Server,
    rig: Rig<H>,
}

impl<H: Home> OnNats<H> {
    async fn after(program: Program, orders: u32) -> Self {
        let server = Server::options().program(program).start().await.unwrap();
        let rig = Rig::over(connect(&server).await).await;
        rig.go_on(1..=orders).await;
        Self { server, rig }
    }

    /// Stops the server, and starts it again after its files were changed.
    async fn restart(&mut self, change: impl FnOnce(&Path)) {
        self.rig.bus.close().await.unwrap();
        self.server.stop().await.unwrap();
        change(self.server.folder());
        self.server.restart().await.unwrap();
        self.rig.bus = connect(&self.server).await;
    }

    /// A backup of the files whose folder has this name.
    async fn save(&mut self, folder: &'static str) -> PathBuf {
        let backup = self.server.folder().join("backup");
        let to = backup.clone();
        self.restart(|home| copy(&find(home, folder), &to)).await;
        backup
    }

    async fn restore(&mut self, folder: &'static str, backup: &Path) {
        self.restart(|home| {
            let there = find(home, folder);
            fs::remove_dir_all(&there).unwrap();
            copy(backup, &there);
        })
        .await;
    }

    async fn plan(&self) -> RecoverPlan {
        self.rig.plan().await
    }
}

/// The folder of this name, outside of the backup.
fn find(within: &Path, name: &str) -> PathBuf {
    let mut folders = vec![within.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("backup") {
                if path.ends_with(name) {
                    return path;
                }
                folders.push(path);
            }
        }
    }
    panic!("there is no {name} in {}", within.display());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

async fn the_messages_went_back_and_the_consumers_did_not<H: Home>() {
    // The oldest server keeps a position beyond the end of the stream; newer ones may lower it.
    let oldest = nats::oldest().unwrap();
    for (program, keeps) in [(oldest, true), (nats::current().unwrap(), false)] {
        let mut on = OnNats::<H>::after(program, 12).await;
        let backup = on.save("ORDERS/msgs").await;
        on.rig.go_on(13..=20).await;
        on.restore("ORDERS/msgs", &backup).await;

        let plan = on.plan().await;
        let older = the!(plan, StreamOlder);
        assert_eq!((older.rows, older.agrees_to), (8, Some(12)), "{plan}");
        assert!(plan.unknown.is_empty(), "{plan}");
        if keeps {
            let expected = ["consumer ahead", "records misplaced", "stream older"];
            assert_eq!(kinds(&plan), expected, "{plan}");
            let ahead = the!(plan, ConsumerAhead);
            assert_eq!((&*ahead.stream, &*ahead.consumer), (STREAM, DURABLE));
            assert_eq!((ahead.position, ahead.last_sequence), (20, 12));
            let reset = Repair::ResetConsumer { to: 13 };
            assert_eq!(plan.divergences[0].repair(), reset);
        }
        // Without outbox and inbox, the position alone shows it.
        let position = Recover::new(&on.rig.bus).durable(STREAM, DURABLE);
        let found = position.plan().await.unwrap();
        assert_eq!(kinds(&found).contains(&"consumer ahead"), keeps, "{found}");
        let report = on.rig.carry_out(&plan).await;
        assert_eq!(report.made_ready, 8);
        assert_eq!(report.consumers_reset.len(), usize::from(keeps));
        let plan = on.plan().await;
        assert!(plan.is_clean(), "{plan}");
        on.rig.finish(20).await;
    }
}

async fn the_files_went_back<H: Home>() {
    let program = nats::current().unwrap();
    let mut on = OnNats::<H>::after(program, 12).await;
    let backup = on.save("jetstream").await;
    on.rig.go_on(13..=20).await;
    on.restore("jetstream", &backup).await;
    let plan = on.plan().await;
    assert_eq!(
        kinds(&plan),
        ["records misplaced", "stream older"],
        "{plan}"
    );
    let older = the!(plan, StreamOlder);
    assert_eq!(
        (older.lowest, older.highest, older.last_sequence),
        (13, 20, 12)
    );
    assert_eq!(on.rig.carry_out(&plan).await.made_ready, 8);
    assert!(on.plan().await.is_clean());
    on.rig.finish(20).await;
}

async fn the_files_are_gone<H: Home>() {
    let program = nats::current().unwrap();
    let mut on = OnNats::<H>::after(program, 20).await;
    on.restart(|home| fs::remove_dir_all(find(home, "jetstream")).unwrap())
        .await;
    let plan = on.plan().await;
    let anew = the!(plan, StreamAnew);
    assert_eq!((anew.rows, anew.last_sequence), (20, 0), "{plan}");
    let reasons: Vec<_> = plan.unknown.iter().map(|it| &it.reason).collect();
    let expected = [&UnknownReason::NoConsumer, &UnknownReason::KeptTooShort];
    assert_eq!(reasons, expected, "{plan}");
    assert_eq!(on.rig.carry_out(&plan).await.made_ready, 20);
    on.rig.finish(20).await;
}

/// A consumer that waits for messages is not reset.
async fn refuse_while_running<H: Home>(rig: &Rig<H>, plan: &RecoverPlan) {
    let durable = rig.bus.subscribe::<OrderPlaced>().durable(DURABLE);
    let mut orders = durable.await.unwrap();
    let waiting = tokio::spawn(async move { orders.next().await.is_some() });
    eventually("the durable waits", async || {
        let info = rig.bus.transport().consumer_info(STREAM, DURABLE).await;
        info.unwrap().waiting > Some(0)
    })
    .await;
    let refused = rig.recover().carry_out(plan).await.unwrap_err();
    let is_expected =
        matches!(&refused, RecoverError::ConsumerRunning { consumer, .. } if consumer == DURABLE);
    assert!(is_expected, "{refused}");
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    eventually("the durable does not wait", async || {
        let info = rig.bus.transport().consumer_info(STREAM, DURABLE).await;
        info.unwrap().waiting == Some(0)
    })
    .await;
}

async fn a_reset_that_is_killed_at_every_poll<H: Home>() {
    let program = nats::current().unwrap();
    let mut on = OnNats::<H>::after(program, 10).await;
    on.rig.office.save().await;
    on.rig.go_on(11..=20).await;
    on.rig.office.restore().await;
    let plan = on.plan().await;
    assert_eq!(kinds(&plan), ["inbox older"]);
    refuse_while_running(&on.rig, &plan).await;
    // An answer that is there at once costs no poll, so that some rounds miss the reset.
    let begin = Instant::now();
    while !killed_at_every_poll(&on).await {
        assert!(
            begin.elapsed() < Duration::from_mins(1),
            "no reset was interrupted"
        );
        on.rig.handle().await;
        on.rig.office.restore().await;
    }
    // What was interrupted last may still have to be completed.
    for _ in 0..2 {
        let plan = on.plan().await;
        on.rig.carry_out(&plan).await;
    }
    let plan = on.plan().await;
    assert!(plan.is_clean(), "{plan}");
    on.rig.finish(20).await;
}

/// Kills the repair after its first poll, then one poll later each time, until it completes. Whether a
/// reset was found that had been interrupted.
async fn killed_at_every_poll<H: Home>(on: &OnNats<H>) -> bool {
    let mut found_unfinished = false;
    for polls in 1.. {
        let plan = on.plan().await;
        found_unfinished |= kinds(&plan).contains(&"reset unfinished");
        let recover = on.rig.recover();
        let mut repair = pin!(recover.carry_out(&plan));
        let mut left = polls;
        let done = poll_fn(|cx| {
            left -= 1;
            match repair.as_mut().poll(cx) {
                Poll::Ready(report) => Poll::Ready(Some(report.unwrap())),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        if done.await.is_some() {
            break;
        }
    }
    found_unfinished
}

/// A work queue allows neither a copy of a consumer nor a beginning: servers refuse the reset.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_of_a_work_queue_is_reset_by_hand_and_stops_no_other_repair() {
    // It keeps a position beyond the end of a stream.
    let program = nats::oldest().unwrap();
    let mut server = Server::options().program(program).start().await.unwrap();
    let bus = work_queue(&server).await;
    settle(&bus, 3).await;
    bus.close().await.unwrap();
    server.stop().await.unwrap();
    let home = server.folder().to_owned();
    let folders = ["JOBS/msgs", "ORDERS/msgs"];
    let backup = |folder: &str| home.join("backup").join(folder);
    for folder in folders {
        copy(&find(&home, folder), &backup(folder));
    }
    server.restart().await.unwrap();
    let bus = work_queue(&server).await;
    settle(&bus, 3).await;
    bus.close().await.unwrap();
    server.stop().await.unwrap();
    for folder in folders {
        let there = find(&home, folder);
        fs::remove_dir_all(&there).unwrap();
        copy(&backup(folder), &there);
    }
    server.restart().await.unwrap();
    let bus = work_queue(&server).await;

    let recover = Recover::new(&bus)
        .durable("JOBS", "worker")
        .durable(STREAM, "worker");
    let plan = recover.plan().await.unwrap();
    assert_eq!(kinds(&plan), ["consumer ahead"; 2], "{plan}");
    let report = recover.carry_out(&plan).await.unwrap();
    let [by_hand] = &report.by_hand[..] else {
        panic!("{report:?}");
    };
    assert_eq!(by_hand.stream(), "JOBS");
    let repair = by_hand.repair().to_string();
    assert!(repair.contains("work queue"), "{repair}");
    assert_eq!(report.consumers_reset.len(), 1, "{report:?}");
    assert_eq!(&*report.consumers_reset[0].0, STREAM);

    // By hand, as it says.
    let transport = bus.transport();
    let info = transport.consumer_info("JOBS", "worker").await.unwrap();
    transport.delete_consumer("JOBS", "worker").await.unwrap();
    transport
        .apply_consumer("JOBS", &info.config)
        .await
        .unwrap();
    let plan = recover.plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");
}

/// A bus with a work queue beside the stream.
async fn work_queue(server: &Server) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let jobs = StreamSpec::new("JOBS").subject("jobs.>");
    let bus = EventBus::builder()
        .stream(jobs.retention(Retention::WorkQueue))
        .stream(StreamSpec::new(STREAM).subject("orders.>"));
    let bus = bus.transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    bus
}

/// Publishes messages to both streams, and settles them.
async fn settle(bus: &EventBus, messages: u32) {
    for (subject, filter) in [
        ("jobs.a", subject!("jobs.>")),
        ("orders.a", subject!("orders.>")),
    ] {
        let raw = bus.raw();
        for _ in 0..messages {
            raw.publish(subject, "{}").await.unwrap();
        }
        let worker = raw.subscribe(filter).durable("worker");
        let mut worker = worker.deliver(DeliverPolicy::All).await.unwrap();
        for _ in 0..messages {
            let delivery = worker.next().await.unwrap().unwrap();
            delivery.ack_confirmed().await.unwrap();
        }
    }
}

/// The permissions that the page gives for a recovery.
fn documented() -> Permissions {
    let page = include_str!("../../../../docs/recover.md");
    let quoted = page.split('`').skip(1).step_by(2);
    let subjects: Vec<_> = quoted
        .filter(|text| text.starts_with("$JS."))
        .map(|text| text.replace("<stream>", STREAM))
        .collect();
    assert_eq!(subjects.len(), 7, "{subjects:?}");
    let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
    let permissions = Permissions::none().subscribe(&["_INBOX.>"]);
    permissions.publish(&subjects)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_permissions_suffice_and_without_them_it_says_unknown() {
    let limited = Permissions::none()
        .publish(&["events.orders.>"])
        .subscribe(&["_INBOX.>"]);
    let users = [
        User::password("admin", "pw"),
        User::password("shop", "pw").permissions(limited),
        User::password("operator", "pw").permissions(documented()),
    ];
    let server = Server::options().users(users).start().await.unwrap();
    let options = |name: &str| Nats::options(server.url()).user(name, "pw");
    let admin = Nats::connect(options("admin")).await.unwrap();
    let mut rig = Rig::<OnSqlite>::over(bus_over(admin).await).await;
    rig.go_on(1..=3).await;
    rig.office.save().await;
    rig.go_on(4..=6).await;
    rig.office.restore().await;
    let admin = rig.bus.clone();
    let bus = |nats| {
        let stream = StreamSpec::new(STREAM).subject("orders.>");
        EventBus::builder().stream(stream).transport(nats).unwrap()
    };

    rig.bus = bus(Nats::connect(options("shop")).await.unwrap());
    let plan = rig.plan().await;
    assert!(plan.divergences.is_empty(), "{plan}");
    // The streams that store what only the outbox publishes, and the stream of its rows.
    let [unseen, unknown] = &plan.unknown[..] else {
        panic!("{plan}");
    };
    assert!(
        unseen.to_string().contains("$JS.API.STREAM.NAMES"),
        "{unseen}"
    );
    assert_eq!(unknown.stream.as_deref(), Some(STREAM));
    let UnknownReason::NotReadable(error) = &unknown.reason else {
        panic!("{plan}");
    };
    assert!(error.contains("$JS.API.STREAM.INFO.ORDERS"), "{error}");

    rig.bus = bus(Nats::connect(options("operator")).await.unwrap());
    let plan = rig.plan().await;
    assert_eq!(kinds(&plan), ["inbox older"], "{plan}");
    assert_eq!(rig.carry_out(&plan).await.consumers_reset.len(), 1);
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    rig.bus = admin;
    rig.finish(6).await;
}

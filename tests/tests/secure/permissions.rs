//! Executes the permissions table of docs/production.md: each row suffices, and no entry is
//! superfluous.

mod messages;

use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{
    AckPolicy, BucketConfig, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind,
    Revision, TransportExt as _,
};
use event_sdk::{BusBuilder, EventBus, EventSet, Incoming, Subscribe};
use event_sdk_test_servers::{Permissions, Server};
use event_sdk_tests::orders::{AllOrderEvents, OrderEvents, OrderPlaced, placed};
use futures_util::future::join_all;

use crate::captured;
use crate::support::{connect, everything_of, next, publish, server_with, user, within};

const PAGE: &str = include_str!("../../../docs/production.md");

/// What a service does, by the first words of its row.
const ACTS: &[(&str, Act)] = &[
    ("publishes", |case| Box::pin(publishes(case))),
    ("publishes and expects", |case| Box::pin(expects(case))),
    ("consumes a durable or a group", |case| {
        Box::pin(durable(case))
    }),
    ("consumes a durable or a group", |case| {
        Box::pin(group(case))
    }),
    ("the same, of several patterns", |case| {
        Box::pin(several(case))
    }),
    ("and hears of events", |case| Box::pin(exhausted(case))),
    ("consumes without a name", |case| Box::pin(unnamed(case))),
    ("only takes", |case| Box::pin(only_takes(case))),
    ("reads history", |case| Box::pin(history(case))),
    ("gets single messages", |case| {
        Box::pin(messages::gets(case))
    }),
    ("deletes single messages", |case| {
        Box::pin(messages::deletes(case))
    }),
    ("purges messages by a filter", |case| {
        Box::pin(messages::purges(case))
    }),
    ("purges everything before", |case| {
        Box::pin(messages::purges_before(case))
    }),
    ("listens to advisories", |case| {
        Box::pin(messages::listens(case))
    }),
    ("declares no streams", |case| Box::pin(undeclared(case))),
    ("applies its durable", |case| {
        Box::pin(applies_durable(case))
    }),
    ("applies the streams", |case| Box::pin(applies(case))),
    ("coordinates", |case| Box::pin(coordinates(case))),
    ("applies its bucket", |case| Box::pin(applies_bucket(case))),
    ("publishes without streams", |case| {
        Box::pin(plain_publish(case))
    }),
    ("subscribes without streams", |case| {
        Box::pin(plain_subscribe(case))
    }),
];

type Act = fn(Case) -> Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// What happens without one of the permissions, where that is not `Denied`.
fn otherwise(row: &str, permission: &str) -> Option<Without> {
    let publishes = row.starts_with("publishes");
    match permission {
        // Whether the last event is one's own cannot be looked up.
        "$JS.API.STREAM.MSG.GET.ORDERS" if publishes => Some(Without::Fails(|kind| {
            matches!(kind, ErrorKind::WrongLastSequence { .. })
        })),
        // Nobody waits for these.
        "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.billing"
        | "$JS.API.CONSUMER.DELETE.ORDERS.*" => Some(Without::IsLogged),
        "events.orders.>" if row.starts_with("publishes without") => Some(Without::IsLogged),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Without {
    Fails(fn(&ErrorKind) -> bool),
    IsLogged,
}

/// One user: a row of the table with all its permissions, or all but one.
#[derive(Clone)]
struct Case {
    number: usize,
    row: String,
    act: Act,
    publish: Vec<String>,
    subscribe: Vec<String>,
    missing: Option<String>,
    nats: Option<Nats>,
}

#[tokio::test]
async fn each_row_is_enough_and_nothing_in_it_is_too_much() {
    let cases = cases();
    let users = cases.iter().map(|case| (case.user(), case.permissions()));
    let server = server_with(users).await;
    let admin = connect(user(&server, "admin")).await;
    let failures = join_all(cases.into_iter().map(|case| case.run(&server, &admin))).await;
    let failures: Vec<_> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_row_is_tried() {
    let rows = rows();
    for (row, ..) in &rows {
        assert!(acts(row).count() > 0, "nothing tries the row: {row}");
    }
    for (begin, _) in ACTS {
        assert!(
            rows.iter().any(|(row, ..)| is_about(row, begin)),
            "no row {begin}"
        );
    }
}

/// What a service does, what it may publish, and what it may subscribe to.
fn rows() -> Vec<(String, Vec<String>, Vec<String>)> {
    let table = PAGE
        .split("| a service that … |")
        .nth(1)
        .expect("the table");
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let quoted = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let rows = lines.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{line}");
        (cells[0].to_owned(), quoted(cells[1]), quoted(cells[2]))
    });
    rows.collect()
}

fn acts(row: &str) -> impl Iterator<Item = Act> {
    ACTS.iter()
        .filter(move |(begin, _)| is_about(row, begin))
        .map(|(_, act)| *act)
}

/// Of two acts whose words both begin a row, the longer is meant.
fn is_about(row: &str, begin: &str) -> bool {
    let fitting = ACTS
        .iter()
        .map(|(begin, _)| begin)
        .filter(|begin| row.starts_with(**begin));
    fitting.max_by_key(|begin| begin.len()) == Some(&begin)
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (row, publish, subscribe) in rows() {
        for act in acts(&row) {
            let all = publish.iter().chain(&subscribe).cloned().map(Some);
            for missing in [None].into_iter().chain(all) {
                let without = |list: &[String]| {
                    let kept = list.iter().filter(|it| Some(*it) != missing.as_ref());
                    kept.cloned().collect()
                };
                cases.push(Case {
                    number: cases.len(),
                    row: row.clone(),
                    act,
                    publish: without(&publish),
                    subscribe: without(&subscribe),
                    missing: missing.clone(),
                    nats: None,
                });
            }
        }
    }
    cases
}

impl Case {
    fn user(&self) -> String {
        format!("user{}", self.number)
    }

    /// Each case has a stream, a consumer, a bucket and subjects of its own.
    fn own(&self, permission: &str) -> String {
        let number = self.number;
        permission
            .replace("ORDERS", &format!("ORDERS{number}"))
            .replace("EVENT_SDK", &format!("EVENT_SDK{number}"))
            .replace("billing", &format!("billing{number}"))
            .replace("events.", &format!("events{number}."))
    }

    fn permissions(&self) -> Permissions {
        let mut permissions = Permissions::none();
        for subject in &self.publish {
            permissions = permissions.publish(&[&self.own(subject)]);
        }
        for subject in &self.subscribe {
            permissions = permissions.subscribe(&[&self.own(subject)]);
        }
        permissions
    }

    async fn run(mut self, server: &Server, admin: &Nats) -> Option<String> {
        if !self.row.contains("applies the streams") && !self.row.contains("without streams") {
            self.prepare(admin).await;
        }
        let mut options = user(server, &self.user());
        if self.row.contains("Management::Never") {
            options = options.management(Management::Never);
        }
        self.nats = Some(connect(options).await);
        let Some(missing) = self.missing.clone() else {
            let result = (self.act)(self.clone()).await;
            return result
                .err()
                .map(|error| self.failure(&everything_of(&error)));
        };
        let exact = missing.split(['*', '>']).next().unwrap_or_default();
        let named = self.own(exact);
        let without = otherwise(&self.row, &missing);
        let result = match without {
            Some(Without::IsLogged) => tokio::select! {
                result = (self.act)(self.clone()) => result,
                () = captured::until(&named) => Ok(()),
            },
            _ => (self.act)(self.clone()).await,
        };
        match (without, result) {
            (None, Err(error)) if *error.kind() == ErrorKind::PermissionDenied => {
                let told = error.to_string().contains(&named);
                (!told).then(|| self.failure(&format!("`{named}` is not in: {error}")))
            }
            (Some(Without::Fails(expected)), Err(error)) if expected(error.kind()) => None,
            (Some(Without::IsLogged), Ok(())) => {
                captured::until(&named).await;
                None
            }
            (_, Ok(())) => Some(self.failure("it works all the same")),
            (_, Err(error)) => Some(self.failure(&everything_of(&error))),
        }
    }

    /// What the administrator makes for the case: a stream with two events, and
    /// where they have to exist already, a durable or a bucket.
    async fn prepare(&self, admin: &Nats) {
        let bus = self.builder().transport(admin.clone()).unwrap();
        within("the stream", bus.apply_streams()).await.unwrap();
        for id in 1..=2 {
            publish(&bus, id).await.unwrap();
        }
        if self.row.starts_with("coordinates") {
            let bucket = BucketConfig::new(self.own("EVENT_SDK"));
            within("the bucket", admin.apply_bucket(&bucket))
                .await
                .unwrap();
        }
        if self.row.contains("Management::Never") {
            let durable = bus
                .subscribe::<AllOrderEvents>()
                .durable(self.own("billing"));
            drop(within("the durable", durable.into_future()).await.unwrap());
        }
    }

    fn failure(&self, why: &str) -> String {
        let mut text = format!("{} ({})", self.row, self.number);
        if let Some(missing) = &self.missing {
            let _ = write!(text, " without {missing}");
        }
        format!("{text}: {why}")
    }

    fn builder(&self) -> BusBuilder {
        let stream = StreamSpec::new(self.own("ORDERS")).subject("orders.>");
        EventBus::builder()
            .prefix(self.own("events.").trim_end_matches('.').to_owned())
            .stream(stream)
    }

    fn nats(&self) -> Nats {
        self.nats.clone().expect("a connection")
    }

    fn bus(&self) -> EventBus {
        self.builder().transport(self.nats()).unwrap()
    }
}

async fn publishes(case: Case) -> Result<(), Error> {
    publish(&case.bus(), 3).await.map(drop)
}

async fn expects(case: Case) -> Result<(), Error> {
    let orders = case.bus().publisher::<OrderPlaced>();
    let third = orders.prepare(placed(3));
    for duplicate in [false, true] {
        let published = orders.publish(&third).expect_last_sequence(2).await?;
        assert_eq!(published.is_duplicate(), duplicate);
    }
    Ok(())
}

async fn durable(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<AllOrderEvents>()
            .durable(case.own("billing")),
    )
    .await
}

async fn group(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<AllOrderEvents>()
            .group(case.own("billing")),
    )
    .await
}

async fn several(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<OrderEvents>()
            .durable(case.own("billing")),
    )
    .await
}

async fn unnamed(case: Case) -> Result<(), Error> {
    consume(case.bus().subscribe::<AllOrderEvents>()).await
}

async fn only_takes(case: Case) -> Result<(), Error> {
    durable(case).await
}

async fn undeclared(case: Case) -> Result<(), Error> {
    let bus = EventBus::builder().prefix(case.own("events.").trim_end_matches('.').to_owned());
    let bus = bus.transport(case.nats()).unwrap();
    consume(
        bus.subscribe::<AllOrderEvents>()
            .durable(case.own("billing")),
    )
    .await
}

/// Receives, acknowledges, puts back.
async fn consume<S: EventSet>(subscribe: Subscribe<S>) -> Result<(), Error> {
    let mut orders = within("a subscription", subscribe.into_future()).await?;
    next(&mut orders).await?.ack_confirmed().await?;
    next(&mut orders).await?.nak(Duration::ZERO).await?;
    let again = next(&mut orders).await?;
    assert_eq!((again.sequence(), again.attempt()), (Some(2), 2));
    again.ack_confirmed().await
}

async fn exhausted(case: Case) -> Result<(), Error> {
    let orders = case
        .bus()
        .subscribe::<AllOrderEvents>()
        .durable(case.own("billing"));
    let mut orders = within("a subscription", orders.max_deliver(1).into_future()).await?;
    next(&mut orders).await?.nak(Duration::ZERO).await?;
    loop {
        let incoming = within("a notice", orders.next_incoming()).await;
        match incoming.expect("the subscription goes on")? {
            Incoming::Delivery(delivery) => delivery.ack_confirmed().await?,
            Incoming::Notice(notice) if notice.exhausted().is_some() => return Ok(()),
            Incoming::Notice(_) => {}
        }
    }
}

async fn history(case: Case) -> Result<(), Error> {
    let bus = case.bus();
    let oldest = bus.history::<AllOrderEvents>();
    let newest = bus.history::<AllOrderEvents>().newest_first();
    for (history, sequences) in [(oldest, [1, 2]), (newest, [2, 1])] {
        let mut orders = within("history", history.into_future()).await?;
        for sequence in sequences {
            let recorded = within("an event", orders.next()).await.expect("an event")?;
            assert_eq!(recorded.sequence(), sequence);
        }
    }
    Ok(())
}

async fn applies_durable(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    for wait in [10, 20] {
        let stream = StreamSpec::new(case.own("ORDERS")).subject("orders.>");
        let config = stream.config(&prefix).unwrap();
        let name = ConsumerName::Durable(case.own("billing").into());
        let mut durable = ConsumerConfig::new(name, config.subjects.clone());
        durable.ack_wait = Duration::from_secs(wait);
        let nats = case.nats();
        within("the durable", nats.apply_consumer(&config.name, &durable)).await?;
    }
    Ok(())
}

async fn applies(case: Case) -> Result<(), Error> {
    within("the stream", case.bus().apply_streams()).await?;
    let stream = StreamSpec::new(case.own("ORDERS"))
        .subject("orders.>")
        .max_messages(10);
    let prefix = case.bus().prefix().to_owned();
    let changed = EventBus::builder().prefix(prefix).stream(stream);
    let changed = changed.transport(case.nats()).unwrap();
    within("the change", changed.apply_streams())
        .await
        .map(drop)
}

async fn coordinates(case: Case) -> Result<(), Error> {
    let bus = case.builder().coordination(&*case.own("EVENT_SDK"));
    let bucket = bus.transport(case.nats()).unwrap().coordination();
    for _ in 0..2 {
        let put = bucket.put("lease.1", "me", Revision::Absent, None);
        let revision = within("a put", put).await?;
        let entry = within("an entry", bucket.get("lease.1")).await?;
        assert_eq!(entry.expect("an entry").revision, revision);
        assert_eq!(within("a list", bucket.list("lease")).await?.len(), 1);
        let deleted = bucket.delete("lease.1", Revision::Exactly(revision));
        within("a deletion", deleted).await?;
    }
    Ok(())
}

async fn applies_bucket(case: Case) -> Result<(), Error> {
    let config = BucketConfig::new(case.own("EVENT_SDK"));
    for config in [config.clone(), config.unlimited_age()] {
        let bus = EventBus::builder().coordination(config);
        let bus = bus.transport(case.nats()).unwrap();
        let applied = within("the bucket", bus.apply()).await?;
        assert!(!applied.is_unchanged(), "{applied}");
    }
    Ok(())
}

async fn plain_publish(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    let bus = EventBus::builder()
        .prefix(prefix)
        .transport(case.nats().core())?;
    publish(&bus, 1).await.map(drop)
}

async fn plain_subscribe(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    let bus = EventBus::builder()
        .prefix(prefix)
        .transport(case.nats().core())?;
    let orders = bus
        .subscribe::<AllOrderEvents>()
        .ack_policy(AckPolicy::None);
    let orders = orders.deliver(DeliverPolicy::New).into_future();
    within("a subscription", orders).await.map(drop)
}

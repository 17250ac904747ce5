//! Executes the permissions table of docs/production.md: each row suffices, and no entry is
//! superfluous.

mod acts;
mod runtime;

use std::fmt::Write as _;
use std::future::IntoFuture as _;
use std::pin::Pin;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{BucketConfig, Error, ErrorKind, TransportExt as _};
use event_sdk::{BusBuilder, EventBus};
use event_sdk_test_servers::{Permissions, Server};
use event_sdk_tests::orders::{AllOrderEvents, placed};
use futures_util::future::join_all;

use crate::captured;
use crate::support::{connect, everything_of, publish, server_with, user, within};

use acts::ACTS;

const PAGE: &str = include_str!("../../../docs/production.md");

const HOUR: Duration = Duration::from_hours(1);

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
        | "$JS.API.CONSUMER.DELETE.ORDERS.*"
        | "$KV.EVENT_SDK.attempts.billing.>" => Some(Without::IsLogged),
        // It tries again for ever.
        "$JS.API.STREAM.MSG.GET.ORDERS" | "dlq.billing.>" | "_INBOX.>"
            if row.starts_with("writes letters") =>
        {
            Some(Without::IsLogged)
        }
        "$JS.API.DIRECT.GET.KV_EVENT_SDK" if row.starts_with("counts attempts") => {
            Some(Without::IsLogged)
        }
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
    admin: Option<Nats>,
}

#[tokio::test]
async fn each_row_is_enough_and_nothing_in_it_is_too_much() {
    let cases = cases();
    let users = cases.iter().map(|case| (case.user(), case.permissions()));
    let server = server_with(users).await;
    let admin = connect(user(&server, "admin")).await;
    let place = runtime::place();
    let letters = EventBus::builder()
        .stream(place.spec())
        .stream(place.retry_spec());
    let letters = letters.transport(admin.clone()).unwrap();
    within("the streams of dead letters", letters.apply_streams())
        .await
        .unwrap();
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
                    admin: None,
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
        let bare = [
            "applies the streams",
            "without streams",
            "restores a stream",
        ];
        if !bare.iter().any(|words| self.row.contains(words)) {
            self.prepare(admin).await;
        }
        self.admin = Some(admin.clone());
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
        // All cases have the same inbox: a line about it has to be of this consumer.
        let consumer = format!("consumer={} ", self.own("billing"));
        let mut logged = vec![&*named];
        if missing == "_INBOX.>" {
            logged.push(&consumer);
        }
        let result = match without {
            Some(Without::IsLogged) => tokio::select! {
                result = (self.act)(self.clone()) => result,
                () = captured::until_line(&logged) => Ok(()),
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
                captured::until_line(&logged).await;
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
        runtime::prepare(self, &bus).await;
        if self.row.starts_with("cancels") {
            let orders = bus.publisher();
            let later = orders.publish_after(placed(9), HOUR);
            within("the schedule", later.into_future()).await.unwrap();
        }
        let in_bucket = ["coordinates", "counts attempts"];
        if in_bucket.iter().any(|begin| self.row.starts_with(begin)) {
            let bucket = BucketConfig::new(self.own("EVENT_SDK"));
            within("the bucket", admin.apply_bucket(&bucket))
                .await
                .unwrap();
        }
        let steers = ["lists the consumers", "pauses", "resets"];
        if self.row.contains("Management::Never")
            || steers.iter().any(|begin| self.row.starts_with(begin))
        {
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
        let mut stream = StreamSpec::new(self.own("ORDERS")).subject("orders.>");
        if self.row.contains("schedule") {
            stream = stream.schedules();
        }
        EventBus::builder()
            .prefix(self.own("events.").trim_end_matches('.').to_owned())
            .stream(stream)
    }

    /// The bus of the administrator, on the case's streams.
    fn admin_bus(&self) -> EventBus {
        let admin = self.admin.clone().expect("a connection");
        self.builder().transport(admin).unwrap()
    }

    fn nats(&self) -> Nats {
        self.nats.clone().expect("a connection")
    }

    fn bus(&self) -> EventBus {
        self.builder().transport(self.nats()).unwrap()
    }
}

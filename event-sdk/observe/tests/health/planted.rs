//! Planted secrets and personal data: they are in no report, probe, metric, periodic line and log, in no
//! state of server, database and consumer.

mod service;

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk_observe::health::Health;
use event_sdk_test_servers::{NKey, Server, User, planted};
use serde_json::Value;

use crate::http::Probed;
use crate::logged;
use crate::rig::until;
use service::Service;

/// Passwords, a token and those that are wrong.
pub(crate) const SECRETS: [&str; 6] = [
    "pW+4f81c0a2/nats@right",
    "pW+77ab09d3/nats@wrong",
    "pW+d1e0f6b4/rows@right",
    "pW+c9a8b7e6/rows@wrong",
    "tK+5d0e9b77/nats@right",
    "tK+c1f3470b/nats@wrong",
];

/// Personal data that the test plants in events (data, key, metadata) and in errors of handlers and of the
/// database.
pub(crate) const PERSONAL: [&str; 5] = [
    "Ada Lovelace, Countess",
    "ada.lovelace@example.org",
    "St James's Square 12, London",
    "the card of Ada is declined",
    "the row of Ada cannot be read",
];

/// A correlation id of a person. Logs and traces show it, as docs/security.md says; probes and metrics do not.
pub(crate) const CORRELATION: &str = "conversation/of.countess@example.org";

/// Fails if a text has anything planted.
pub(crate) fn search(what: &str, text: &str) {
    for planted in SECRETS.into_iter().chain(PERSONAL) {
        assert_eq!(planted::find(text, planted), None, "{what}");
    }
}

/// What a service shows of its health.
pub(crate) struct Shown {
    pub(crate) health: Health,
    pub(crate) probed: Probed,
    /// Secrets that are made at run time.
    pub(crate) more: Vec<String>,
}

impl Shown {
    /// Searches all that is shown in this state; returns the report.
    pub(crate) async fn look(&self, what: &str) -> Value {
        let mut text = String::new();
        for path in ["/live", "/ready", "/health", "/metrics"] {
            text += &self.probed.whole(path).await;
        }
        let report = self.health.check().await;
        let _ = write!(text, "{report:?} {report:#?} {:?}", self.health);
        for problem in report.problems.iter().chain(&self.health.unready()) {
            let _ = write!(text, "{problem} ");
        }
        let line = self.health.line().await;
        let _ = write!(text, "{line} {line:?}");
        search(what, &text);
        for planted in self.more.iter().map(String::as_str).chain([CORRELATION]) {
            assert_eq!(planted::find(&text, planted), None, "{what}");
        }
        serde_json::to_value(&*report).unwrap()
    }

    /// Looks until the report is as expected.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Value) -> bool) {
        until(what, async || is(&self.look(what).await)).await;
    }
}

fn is(status: &str) -> impl Fn(&Value) -> bool {
    move |report| report["status"] == *status
}

/// The start of the reason why the connection was lost, or why the last attempt to connect failed.
fn lost(report: &Value) -> &str {
    let reason = report["connection"]["last_disconnect"]["reason"].as_str();
    reason.unwrap_or_default()
}

fn replace(server: &Server, old: &str, new: &str) {
    let file = server.folder().join("server.conf");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(file, text.replace(old, new)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_state_of_a_service_shows_a_secret_or_personal_data() {
    logged::begin();
    let mut service = Service::start().await;
    let shown = &service.shown;
    shown.until("before the consumer", is("degraded")).await;

    let running = service.run().await;
    service.publish_all().await;
    let shown = &service.shown;
    let letters = Service::FAILING;
    shown
        .until("the failed handlers", |report| {
            report["dead_letters"][0]["messages"] == letters
        })
        .await;
    shown
        .until("more letters than the threshold", is("degraded"))
        .await;

    let [right, wrong, ..] = SECRETS;
    service.nats.stop().await.unwrap();
    let away = |report: &Value| lost(report) == "no server can be reached";
    shown.until("the end of the server", away).await;
    replace(&service.nats, right, wrong);
    service.nats.restart().await.unwrap();
    let refused = |report: &Value| !lost(report).is_empty() && !away(report);
    shown.until("another password of the server", refused).await;
    replace(&service.nats, wrong, right);
    service.nats.restart().await.unwrap();
    shown.until("the server", is("degraded")).await;

    let [_, _, right, wrong, ..] = SECRETS;
    service.postgres.stop().await.unwrap();
    shown.until("the end of the database", is("down")).await;
    service.postgres.restart().await.unwrap();
    shown.until("the database", is("degraded")).await;
    service.password(wrong).await;
    service.end_sessions().await;
    shown
        .until("another password of the database", is("down"))
        .await;
    service.password(right).await;
    shown
        .until("the password of the database", is("degraded"))
        .await;

    service.break_rows().await;
    shown.until("an error that has data", is("down")).await;
    until("the relay fails", async || {
        logged::all().contains("the database of the outbox fails")
    })
    .await;
    service.mend_rows().await;
    shown.until("the rows", is("degraded")).await;
    until("the line in each state", async || {
        let log = logged::all();
        log.contains("health degraded") && log.contains("health down")
    })
    .await;
    running.end().await;
    shown
        .until("the end of the consumer", |report| report["ready"] == false)
        .await;

    let log = logged::all();
    for says in [
        "handler failed: ",
        "event given up: ",
        "an attempt to connect to NATS failed",
        "the database of the outbox fails",
    ] {
        assert!(log.contains(says), "nothing says {says:?}");
    }
    search("the log", &log);
    assert!(log.contains(CORRELATION), "correct docs/security.md");
}

/// Adds a secret to options.
type LogIn = fn(NatsOptions, &str) -> NatsOptions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_is_shown_whether_the_server_takes_it_or_not() {
    logged::begin();
    let [password, wrong_password, _, _, token, wrong_token] = SECRETS;
    let (nkey, wrong_nkey) = (NKey::new().unwrap(), NKey::new().unwrap());
    let seeds = vec![nkey.seed().to_owned(), wrong_nkey.seed().to_owned()];
    let user = User::password("billing", password);
    let options = || Server::options();
    let logins: [(_, _, LogIn, _, _); 3] = [
        (
            options().users([user]),
            (password, wrong_password),
            |options, password| options.user("billing", password),
            password,
            "a password",
        ),
        (
            options().token(token),
            (token, wrong_token),
            |options, token| options.token(token),
            token,
            "a token",
        ),
        (
            options().users([User::nkey(&nkey)]),
            (nkey.public(), wrong_nkey.public()),
            |options, seed| options.nkey(seed),
            nkey.seed(),
            "an NKey",
        ),
    ];
    for (server, (right, wrong), login, secret, what) in logins {
        let mut server = server.start().await.unwrap();
        let options = login(Nats::options(server.url()), secret);
        let nats = Nats::connect(options.clone()).await.unwrap();
        let stream = StreamSpec::new("LOGINS").subject("orders.>").replicas(1);
        let bus = EventBus::builder().stream(stream).transport(nats).unwrap();
        bus.apply_streams().await.unwrap();
        let health = Health::builder(&bus).stream("LOGINS");
        let health = health.interval(Duration::ZERO).build();
        let probed = Probed::serve_with(health.clone(), Some(crate::rig::scraped_metrics())).await;
        let shown = Shown {
            health,
            probed,
            more: seeds.clone(),
        };
        shown.until(what, is("ok")).await;
        server.stop().await.unwrap();
        shown
            .until(what, |report| lost(report) == "no server can be reached")
            .await;
        replace(&server, right, wrong);
        server.restart().await.unwrap();
        let refused = |report: &Value| {
            report["status"] == "down" && lost(report) != "no server can be reached"
        };
        shown.until(what, refused).await;
        let refused = Nats::connect(options).await.unwrap_err();
        search(what, &format!("{refused} {refused:?} {refused:#?}"));
        bus.close().await.unwrap();
        shown
            .until(what, |report| report["connection"]["state"] == "closed")
            .await;
    }
    let log = logged::all();
    search("the log", &log);
    for seed in seeds {
        assert_eq!(planted::find(&log, &seed), None);
    }
}

#[test]
fn what_is_planted_is_found() {
    for planted in SECRETS.into_iter().chain(PERSONAL) {
        assert!(planted::find(&format!("error: {planted}, 7"), planted).is_some());
    }
}

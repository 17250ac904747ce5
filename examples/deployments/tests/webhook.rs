//! Tests of the webhook, with an address that answers as the test wants, and over HTTP.

use std::io;
use std::sync::{Arc, Mutex};

use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk_testing::TestBus;

use super::test_bus;
use crate::events::DeploymentFailed;
use crate::http::{Http, sink};
use crate::webhook::{self, Post};

async fn alarm(bus: &TestBus) {
    let (deployment, reason) = (7, "not healthy".to_owned());
    bus.given(DeploymentFailed { deployment, reason }).await;
}

/// Records what is posted, and answers with these, the last one first, and then with 204.
struct Answers(Mutex<Vec<io::Result<u16>>>, Mutex<Vec<String>>);

impl Answers {
    fn new(answers: impl IntoIterator<Item = io::Result<u16>>) -> Arc<Self> {
        let answers = answers.into_iter().collect();
        Arc::new(Self(Mutex::new(answers), Mutex::default()))
    }
}

impl Post for Arc<Answers> {
    fn post(&self, body: &[u8]) -> io::Result<u16> {
        let body = String::from_utf8_lossy(body).into_owned();
        self.1.lock().unwrap().push(body);
        self.0.lock().unwrap().pop().unwrap_or(Ok(204))
    }
}

#[tokio::test]
async fn a_webhook_that_is_busy_or_away_is_called_again() {
    let bus = test_bus();
    alarm(&bus).await;
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let post = Answers::new([Ok(503), Err(refused), Ok(503)]);
    let webhook = webhook::consumer(&bus, Arc::clone(&post));
    let report = bus.run_until_idle(webhook).await;
    assert_eq!((report.handled, report.failed_attempts), (1, 2));
    assert_eq!(report.outages, 1);
    let posted = post.1.lock().unwrap();
    assert_eq!(posted.len(), 4);
    assert!(posted[0].contains("not healthy"), "{}", posted[0]);
}

#[tokio::test]
async fn an_alarm_that_is_refused_or_never_taken_becomes_a_dead_letter() {
    for (answers, class) in [(vec![422], "rejected"), (vec![500; 4], "retry-exhausted")] {
        let bus = test_bus();
        alarm(&bus).await;
        let post = Answers::new(answers.into_iter().map(Ok));
        let report = bus.run_until_idle(webhook::consumer(&bus, post)).await;
        assert_eq!((report.handled, report.dead_lettered), (0, 1));
        let letters = bus.dead_letters("DLQ");
        let letters = letters
            .list(&LetterFilter::open(), Page::ALL)
            .await
            .unwrap();
        assert_eq!(letters[0].class.as_str(), class);
    }
}

#[test]
fn alarms_are_posted_over_http() {
    let post = Http(sink().unwrap());
    let body = |service: &str| format!(r#"{{"service":"{service}"}}"#);
    for (service, status) in [
        ("api", 204),
        ("legacy", 422),
        ("web", 204),
        ("web", 204),
        ("api", 503),
    ] {
        assert_eq!(post.post(body(service).as_bytes()).unwrap(), status);
    }
}

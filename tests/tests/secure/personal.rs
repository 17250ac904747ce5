//! Planted personal data (`Pii`): published, received and refused over both transports, and
//! searched in errors, `Debug` and all logs at TRACE but those of async-nats.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use event_sdk::headers::Headers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::Transport;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::nats::Nats;
use event_sdk::{Event, EventBus, EventSet, Pii, RawEvent};
use event_sdk_test_servers::Server;
use event_sdk_tests::raw::{envelope, publish_with};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::captured;
use crate::support::{connect, within};

/// What must not be seen, each of another form: texts, and a number.
const PLANTED: [&str; 5] = [
    "ada.lovelace@example.com",
    "12 St James's Square",
    "DE44500105175407324931",
    "+44 20 7946 0958",
    "18151210",
];

#[derive(Event, Serialize, Deserialize, Debug, Clone)]
#[event(domain = "people", version = "1.0")]
struct PersonMoved {
    #[event(key)]
    id: u64,
    email: Pii<String>,
    address: Option<Pii<Address>>,
    phones: Vec<Pii<String>>,
    born: Pii<u64>,
    account: Pii<Account>,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
struct Address {
    street: String,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
enum Account {
    Iban(String),
}

#[derive(Debug, EventSet)]
#[event(pattern = "people.>")]
enum PeopleEvents {
    Moved(PersonMoved),
    #[event(other)]
    Other(RawEvent),
}

fn moved() -> PersonMoved {
    let [email, street, iban, phone, born] = PLANTED;
    PersonMoved {
        id: 7,
        email: Pii::new(email.to_owned()),
        address: Some(Pii::new(Address {
            street: street.to_owned(),
        })),
        phones: vec![Pii::new(phone.to_owned())],
        born: Pii::new(born.parse().unwrap()),
        account: Pii::new(Account::Iban(iban.to_owned())),
    }
}

/// Data that the event refuses, each with planted values at another place.
fn refused() -> Vec<String> {
    let [email, street, iban, phone, born] = PLANTED;
    let with = |id: &str, rest: &str| {
        format!(r#"{{"id":{id},"email":"x","phones":[],"born":1,"account":{{"Iban":"x"}}{rest}}}"#)
    };
    let account = |account: &str| {
        format!(r#"{{"id":1,"email":"x","phones":[],"born":1,"account":{account}}}"#)
    };
    vec![
        with(&format!("{email:?}"), ""),
        with(&format!("-{born}"), ""),
        with(&format!("{born}.5"), ""),
        with(&format!("[{phone:?}]"), ""),
        with("1", &format!(r#","address":{street:?}"#)),
        with("1", &format!(r#","address":{{"street":{born}}}"#)),
        with(
            "1",
            &format!(r#","address":{{"street":null,{street:?}:1}}"#),
        ),
        with("1", &format!(r#","id":{email:?}"#)),
        account(&format!("{iban:?}")),
        account(&format!(r#"{{"{iban}":1}}"#)),
        account(&format!(r#"{{"Iban":{born}}}"#)),
        format!(r#"{{"id":1,"email":{born},"phones":[{phone:?}]}}"#),
        format!("{email:?}"),
        format!("[{email:?},{born}]"),
        born.to_owned(),
    ]
}

/// Bodies that are no envelopes. Ids and types are shown: they are no personal data.
fn no_envelopes() -> Vec<String> {
    let [email, street, _, phone, born] = PLANTED;
    let good = envelope("people.person.moved", "1.0", "{}");
    vec![
        email.to_owned(),
        format!("{{{email:?}:{street:?}"),
        good.replace("2025-11-06T12:00:00Z", phone),
        good.replace("2025-11-06T12:00:00Z", born),
        good.replace("\"1.0\"", &format!("{email:?}")),
        good.replace("\"1.0\"", born),
        good.replace("{}", &format!("{email:?}\u{1}")),
        good.replace("{}", &format!("{email:?},\"metadata\":{email:?}")),
        good.replace(
            "{}",
            &format!("{email:?},\"correlation_id\":{{{email:?}:1}}"),
        ),
    ]
}

fn assert_hidden(what: &str, text: &str) {
    for planted in PLANTED {
        let bytes: Vec<_> = planted.bytes().take(8).map(|b| b.to_string()).collect();
        for form in [planted, &planted[3..], &bytes.join(", ")] {
            if let Some(at) = text.find(form) {
                let start = text.floor_char_boundary(at.saturating_sub(200));
                panic!("{what} shows {form}: …{}", &text[start..at + form.len()]);
            }
        }
    }
}

fn debug(what: &str, value: &(impl Debug + ?Sized)) {
    assert_hidden(what, &format!("{value:?} {value:#?}"));
}

fn error(what: &str, error: &(dyn Error + 'static)) {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = write!(text, "{error} {error:#} {error:?} {error:#?} ");
        next = error.source();
    }
    assert_hidden(what, &text);
}

#[tokio::test]
async fn it_is_not_shown_over_memory() {
    captured::begin();
    let transport = MemoryTransport::builder().without_default_stream().build();
    nothing_is_shown(transport.unwrap()).await;
}

#[tokio::test]
async fn it_is_not_shown_over_nats() {
    let server = Server::start().await.unwrap();
    nothing_is_shown(connect(Nats::options(server.url())).await).await;
}

/// What docs/production.md warns of. If this fails, async-nats shows less: change that page.
#[tokio::test]
async fn async_nats_logs_what_it_receives_at_trace() {
    captured::begin();
    let server = Server::start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let mut messages = client.subscribe("logged").await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Logged", "planted-header");
    let publish = client.publish_with_headers("logged", headers, "planted-body".into());
    publish.await.unwrap();
    within("the message", messages.next()).await.unwrap();
    captured::until("planted-body").await;
    assert!(captured::has("planted-header"));
    let others = captured::without_trace_of_client();
    assert!(!others.contains("planted-"), "also elsewhere: {others}");
}

async fn nothing_is_shown(transport: impl Transport) {
    let stream = StreamSpec::new("PEOPLE").subject("people.>");
    let bus = EventBus::builder().source("tests").stream(stream);
    let bus = bus.transport(transport).unwrap();
    within("the stream", bus.apply_streams()).await.unwrap();

    let prepared = bus.publisher::<PersonMoved>().prepare(moved());
    debug("the event", &moved());
    debug("a prepared event", &prepared);
    let people = bus.publisher();
    debug("a publisher", &people);
    let published = within("a publish", people.publish(&prepared).into_future());
    debug("what was published", &published.await.unwrap());
    let bodies = refused().into_iter();
    let bodies = bodies.map(|data| envelope("people.person.moved", "1.0", &data));
    // Of a type, a version and a subject that the set does not know.
    let unknown = [
        envelope("people.person.moved", "9.0", &format!("{PLANTED:?}")),
        envelope("people.person.born", "1.0", &format!("{PLANTED:?}")),
    ];
    let bad: Vec<_> = bodies.chain(unknown).chain(no_envelopes()).collect();
    for body in &bad {
        let subject = "events.people.person.moved";
        let sent = publish_with(&bus, subject, Headers::new(), body.clone());
        within("a publish", sent).await.unwrap();
    }

    let mut people = within(
        "a subscription",
        bus.subscribe::<PeopleEvents>().durable("all").into_future(),
    )
    .await
    .unwrap();
    debug("a subscription", &people);
    let (mut seen, mut failed) = (0, 0);
    while seen <= bad.len() {
        match within("a delivery", people.next()).await.unwrap() {
            Ok(delivery) => {
                debug("a delivery", &delivery);
                match delivery.decode() {
                    Ok(decoded) => debug("a decoded event", &decoded),
                    Err(why) => {
                        failed += 1;
                        error("a decode error", &why);
                    }
                }
                if let Ok(raw) = delivery.raw() {
                    debug("a raw event", &raw);
                }
                delivery.ack().await.unwrap();
            }
            Err(why) => {
                failed += 1;
                error("an error of the subscription", &why);
            }
        }
        seen += 1;
    }
    assert!(failed >= refused().len(), "only {failed} were refused");
    debug("a subscription", &people);

    let mut history = bus.history::<PeopleEvents>().await.unwrap();
    while let Some(stored) = within("history", history.next()).await {
        match stored {
            Ok(stored) => debug("a stored event", &stored),
            Err(why) => error("an error of history", &why),
        }
    }
    within("the end", bus.close()).await.unwrap();
    let late = bus.publisher().publish(&prepared).await.unwrap_err();
    error("a publish that failed", &late);
    assert_hidden("the log", &captured::without_trace_of_client());
}

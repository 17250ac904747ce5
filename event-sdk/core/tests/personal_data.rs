//! Errors and `Debug` show no event data: only paths, kinds, names and sizes.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use event_sdk_core::codec::{Codec, DecodeFault, EncodeError, JsonCodec};
use event_sdk_core::event::{ValueHeader, decode_data};
use event_sdk_core::headers::Headers;
use event_sdk_core::json::{RawJson, read_value, write_value};
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::transport::{
    Body, DeliveryInfo, Incoming, MessageId, PublishRequest, Received, StoredMessage, ValueBody,
};
use event_sdk_core::{EnvelopeHeader, Event, EventSet, RawEvent, Subject, Version};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What must never be seen.
const SECRET: &str = "ada@example.com";

/// Everything that a program prints of a value without asking for its contents.
fn printed(value: &(impl Debug + ?Sized)) -> String {
    format!("{value:?}\n{value:#?}")
}

/// The same of an error, with all that is behind it.
fn printed_error(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text += &error.to_string();
        text += &printed(error);
        next = error.source();
    }
    text
}

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(crate = event_sdk_core, domain = "test")]
struct PersonSeen {
    age: u64,
    id: Uuid,
    items: Vec<Item>,
    balances: BTreeMap<String, u64>,
    by_kind: HashMap<Kind, u64>,
    by_number: BTreeMap<u64, u64>,
    payment: Payment,
    tagged: Tagged,
    untagged: Untagged,
    even: Even,
    small: Option<u8>,
    pair: (u64, bool),
    big: u128,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Serialize, Deserialize, Debug)]
struct Item {
    price: f64,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Red,
    Blue,
}

#[derive(Serialize, Deserialize, Debug)]
enum Payment {
    Cash,
    Card { number: u64 },
    Voucher(u64),
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(tag = "kind")]
enum Tagged {
    A { a: u64 },
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Flag(bool),
}

#[derive(Serialize, Deserialize, Debug)]
struct Flat {
    inner: u64,
}

/// A type whose own message shows the value.
#[derive(Debug)]
struct Even;

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "even" {
            return Ok(Self);
        }
        // As if it were serde's, with an end that looks like a place.
        let text = format!("invalid type: string, expected {text} at line 1 column 7");
        Err(serde::de::Error::custom(text))
    }
}

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("even")
    }
}

const RIGHT: &str = r#"{"age":7,"id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","items":[{"price":1.5},{"price":2.5}],
"balances":{"KEY":1},"by_kind":{"red":1},"by_number":{},"payment":{"Card":{"number":1}},"tagged":{"kind":"A","a":1},"untagged":1,
"even":"even","small":7,"pair":[1,true],"big":1,"inner":7}"#;

#[test]
fn what_is_right_is_read() {
    let read: PersonSeen = decode_data(Version::new(1, 0), RIGHT.as_bytes()).unwrap();
    assert_eq!(read.balances.len(), 1);
}

/// What is put in the place of what in [`RIGHT`]; where the error is, and what it says.
/// `TEXT` is the secret as a string of JSON.
const BROKEN: &[[&str; 4]] = &[
    [
        "{\"Card\":{\"number\":1}}",
        "\"Voucher\"",
        "payment.Voucher",
        "payment.Voucher: invalid type: unit variant, expected newtype variant",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "\"Card\"",
        "payment.Card",
        "payment.Card: invalid type: unit variant, expected struct variant",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Card\":[TEXT]}",
        "payment.Card[0]",
        "payment.Card[0]: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{TEXT:1}",
        "payment",
        "payment: unknown variant, expected one of `Cash`, `Card`, `Voucher`",
    ],
    [
        "\"by_number\":{}",
        "\"by_number\":{TEXT:1}",
        "*.*",
        "*.*: invalid value: expected key to be a number in quotes",
    ],
    [
        "\"age\":7",
        "\"age\":TEXT",
        "age",
        "age: invalid type: string, expected u64 at line 1 column 24",
    ],
    [
        "\"age\":7",
        "\"age\":-41",
        "age",
        "age: invalid value: integer, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":41.5",
        "age",
        "age: invalid type: floating point, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":[TEXT]",
        "age",
        "age: invalid type: sequence, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":{\"a\":TEXT}",
        "age",
        "age: invalid type: map, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":null",
        "age",
        "age: invalid type: null, expected u64",
    ],
    ["\"age\":7,", "", "", "missing field `age`"],
    [
        "\"age\":7",
        "\"age\":7,\"age\":7",
        "",
        "duplicate field `age`",
    ],
    [
        "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "SECRET",
        "id",
        "id: invalid value: string that its type refuses",
    ],
    [
        "2.5",
        "TEXT",
        "items[1].price",
        "items[1].price: invalid type: string, expected f64",
    ],
    [
        "{\"KEY\":1}",
        "{TEXT:true}",
        "balances.*",
        "balances.*: invalid type: boolean, expected u64",
    ],
    [
        "{\"KEY\":1}",
        "{TEXT:TEXT}",
        "balances.*",
        "balances.*: invalid type: string, expected u64",
    ],
    [
        "{\"KEY\":1}",
        "TEXT",
        "balances",
        "balances: invalid type: string, expected a map",
    ],
    [
        "{\"red\":1}",
        "{TEXT:1}",
        "by_kind.*",
        "by_kind.*: unknown variant, expected one of `red`, `blue`",
    ],
    [
        "{\"red\":1}",
        "{\"red\":TEXT}",
        "by_kind.red",
        "by_kind.red: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Card\":{\"number\":TEXT}}",
        "payment.Card.number",
        "payment.Card.number: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Voucher\":TEXT}",
        "payment.Voucher",
        "payment.Voucher: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Cash\":TEXT}",
        "payment.Cash",
        "payment.Cash: invalid type: string, expected unit",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "TEXT",
        "payment",
        "payment: unknown variant, expected one of `Cash`, `Card`, `Voucher`",
    ],
    [
        "\"kind\":\"A\",\"a\":1",
        "\"kind\":\"A\",\"a\":TEXT",
        "tagged",
        "tagged: invalid type: string, expected u64",
    ],
    [
        "\"kind\":\"A\"",
        "\"kind\":TEXT",
        "tagged.*",
        "unknown variant, expected `A`",
    ],
    [
        "\"untagged\":1",
        "\"untagged\":TEXT",
        "untagged",
        "untagged: invalid value: string that its type refuses",
    ],
    [
        "\"even\":\"even\"",
        "\"even\":TEXT",
        "even",
        "even: invalid value: string that its type refuses",
    ],
    [
        "\"small\":7",
        "\"small\":4142",
        "small",
        "small: invalid value: integer, expected u8",
    ],
    [
        "\"small\":7",
        "\"small\":TEXT",
        "small",
        "small: invalid type: string, expected u8",
    ],
    [
        "[1,true]",
        "[1,TEXT]",
        "pair[1]",
        "pair[1]: invalid type: string, expected a boolean",
    ],
    [
        "[1,true]",
        "[1]",
        "pair",
        "pair: invalid length 1, expected a tuple of size 2",
    ],
    ["\"big\":1", "\"big\":TEXT", "*", "*: invalid number"],
    [
        "\"inner\":7",
        "\"inner\":TEXT",
        "",
        "invalid type: string, expected u64",
    ],
];

#[test]
fn a_decode_error_says_where_and_why_and_never_what() {
    for [from, to, path, says] in BROKEN {
        let to = to
            .replace("TEXT", &format!("\"{SECRET}\""))
            .replace("SECRET", SECRET);
        let data = RIGHT.replacen(from, &to, 1);
        assert_ne!(data, RIGHT, "{from}");
        let error = decode_data::<PersonSeen>(Version::new(1, 0), data.as_bytes()).unwrap_err();
        let found = error.path().unwrap_or_default().to_owned();
        let exposed = error.expose().unwrap().to_owned();
        let fault = DecodeFault::from(error);
        let shown = printed_error(&fault);
        assert!(shown.contains(*says), "{to}: {shown}");
        assert!(
            shown.contains("the data are no PersonSeen 1.0: "),
            "{shown}"
        );
        assert_eq!(found, *path, "{to}: {shown}");
        assert_eq!(fault.path().unwrap_or_default(), *path);
        for value in [SECRET, "41", "KEY"] {
            assert!(!shown.contains(value), "{to}: {shown}");
        }
        assert_eq!(fault.expose(), Some(&*exposed));
    }
}

#[test]
fn who_may_see_the_value_asks_for_it() {
    let data = RIGHT.replace("\"age\":7", &format!("\"age\":\"{SECRET}\""));
    let error = decode_data::<PersonSeen>(Version::new(1, 0), data.as_bytes()).unwrap_err();
    assert!(error.expose().unwrap().contains(SECRET));
    assert!(DecodeFault::from(error).expose().unwrap().contains(SECRET));
    let error = read_value::<u64>(format!("\"{SECRET}\"").as_bytes()).unwrap_err();
    assert!(error.expose().contains(SECRET));
    assert!(!printed_error(&error).contains(SECRET));
    assert_eq!(error.path(), "");
}

#[test]
fn text_that_is_no_json_is_not_shown() {
    for data in [
        format!("{{\"age\":{SECRET}}}"),
        format!("\"{SECRET}"),
        format!("{{\"{SECRET}\"}}"),
        format!("7 {SECRET}"),
        format!("\"{SECRET}\u{1}\""),
    ] {
        let error = read_value::<serde_json::Value>(data.as_bytes()).unwrap_err();
        let shown = printed_error(&error);
        assert!(
            shown.contains("line 1 column") && !shown.contains(SECRET),
            "{shown}"
        );
        let error = RawJson::parse(data).unwrap_err();
        assert!(!printed_error(&error).contains(SECRET));
    }
}

/// The next version, which refuses some of the old events.
#[derive(Event, Serialize, Deserialize)]
#[event(crate = event_sdk_core, domain = "test", entity = "person", action = "seen", version = "2.0", upcast_from = PersonSeen)]
#[derive(Debug)]
struct PersonSeenV2 {}

impl TryFrom<PersonSeen> for PersonSeenV2 {
    type Error = String;

    fn try_from(_: PersonSeen) -> Result<Self, String> {
        Err(format!("{SECRET} is no such person"))
    }
}

#[test]
fn what_an_upcaster_says_is_not_shown() {
    let error = decode_data::<PersonSeenV2>(Version::new(1, 0), RIGHT.as_bytes()).unwrap_err();
    assert!(error.expose().unwrap().contains(SECRET));
    let shown = printed_error(&DecodeFault::from(error));
    assert!(
        shown.contains("PersonSeenV2 could not be made from PersonSeen"),
        "{shown}"
    );
    assert!(!shown.contains(SECRET), "{shown}");
}

/// A value that is not written, and says itself in the reason.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!(
            "{SECRET} is not written"
        )))
    }
}

#[test]
fn what_is_not_written_is_not_shown() {
    let error = write_value(&vec![Unwritable], &mut Vec::new()).unwrap_err();
    assert!(!printed_error(&error).contains(SECRET));
    assert!(error.expose().contains(SECRET));
    // What the SDK and serde_json say of their own shows none.
    let error = write_value(&f64::NAN, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("JSON has no NaN"));
    let error = write_value(&BTreeMap::from([(vec![1], 1)]), &mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("key must be a string"),
        "{error}"
    );
    assert_eq!(
        EncodeError::new("no key to encrypt with").to_string(),
        "no key to encrypt with"
    );
}

fn head() -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(Uuid::nil(), "person.seen", Timestamp::UNIX_EPOCH);
    head.metadata.correlation_id = Some(SECRET.into());
    head.metadata.insert("user", SECRET);
    head.metadata.insert_json("users", &[SECRET]).unwrap();
    head
}

fn body() -> Bytes {
    let body = format!(
        r#"{{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"person.seen","timestamp":"2025-11-06T12:00:00Z","source":"shop","version":"1.0","data":{{"name":"{SECRET}"}},"metadata":{{"correlation_id":"{SECRET}","user":"{SECRET}"}},"more":"{SECRET}"}}"#
    );
    Bytes::from(body)
}

#[test]
fn no_error_of_an_envelope_shows_a_value() {
    let right = String::from_utf8(body().to_vec()).unwrap();
    for (from, to, says) in [
        (
            "\"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11\"",
            format!("\"{SECRET}\""),
            "event_id: invalid value: string, expected a UUID",
        ),
        (
            "\"person.seen\"",
            format!("[\"{SECRET}\"]"),
            "event_type: invalid type: sequence, expected a string",
        ),
        (
            "2025-11-06T12:00:00Z",
            SECRET.to_owned(),
            "timestamp: invalid value: string, expected a time by RFC 3339",
        ),
        (
            "2025-11-06T12:00:00Z",
            "9999-11-06T12:00:00Z".to_owned(),
            "timestamp: invalid value: string, expected a time in the years 0001 to 9998",
        ),
        (
            "\"1.0\"",
            format!("\"{SECRET}\""),
            "version: invalid value: string, expected a version",
        ),
        (
            "\"shop\"",
            "41".to_owned(),
            "source: invalid type: integer, expected a string",
        ),
        (
            "\"metadata\":{",
            format!("\"metadata\":[\"{SECRET}\"],\"x\":{{"),
            "metadata: invalid type: sequence, expected metadata",
        ),
        (
            "\"metadata\":{",
            format!("\"metadata\":{{\"correlation_id\":\"{SECRET}\","),
            "metadata: duplicate field `correlation_id`",
        ),
        (
            "\"event_type\"",
            "\"kind\"".to_owned(),
            "missing field `event_type`",
        ),
    ] {
        let broken = right.replacen(from, &to, 1);
        assert_ne!(broken, right, "{from}");
        let fault = JsonCodec
            .decode(&Bytes::from(broken), &Headers::new())
            .unwrap_err();
        let shown = printed_error(&fault);
        assert!(shown.contains(says), "{to}: {shown}");
        assert!(shown.contains("the body is no event envelope: "), "{shown}");
        assert!(
            !shown.contains(SECRET) && !shown.contains("41"),
            "{to}: {shown}"
        );
    }
    let array = Bytes::from(format!("[\"{SECRET}\"]"));
    let shown = printed_error(&JsonCodec.decode(&array, &Headers::new()).unwrap_err());
    assert!(
        shown.contains("expected an event envelope") && !shown.contains(SECRET),
        "{shown}"
    );
}

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(crate = event_sdk_core, domain = "test")]
struct NameTold {
    name: String,
}

#[test]
fn debug_shows_no_data() {
    let subject = Subject::parse("events.test.name.told").unwrap();
    let envelope = JsonCodec.decode(&body(), &Headers::new()).unwrap();
    let raw = RawEvent {
        subject: subject.clone(),
        head: envelope.head.clone(),
        data: envelope.data.clone(),
    };
    let event: Arc<dyn event_sdk_core::event::ErasedEvent> = Arc::new(NameTold {
        name: SECRET.to_owned(),
    });
    let value = ValueBody {
        head: ValueHeader::from(head()),
        event: Arc::clone(&event),
    };
    let mut headers = Headers::new();
    headers.insert("user", SECRET).unwrap();
    let info = DeliveryInfo {
        stream: None,
        sequence: Some(1),
        attempt: 1,
        stored_at: None,
        pending: None,
    };
    let received = |body| {
        Incoming::Message(Received {
            subject: subject.clone(),
            headers: headers.clone(),
            body,
            info: info.clone(),
            settler: None,
        })
    };
    let stored = StoredMessage {
        subject: subject.clone(),
        headers: headers.clone(),
        body: Body::Encoded(body()),
        stream: "PEOPLE".into(),
        sequence: 1,
        stored_at: Timestamp::UNIX_EPOCH,
    };
    let outgoing = {
        let mut request = PublishRequest::new(&subject, Body::Encoded(body()));
        request.headers = headers.clone();
        request.message_id = Some(MessageId::Text(SECRET.into()));
        request
    };
    let encoded = Opened::new(
        &subject,
        "events",
        Content::Encoded(&envelope.head, &envelope.data),
    );
    let handed = Opened::new(
        &subject,
        "events",
        Content::Value(&value.head, &value.event),
    );
    let printed = [
        printed(&head()),
        printed(&head().metadata),
        printed(&head().metadata.value("user")),
        printed(&head().metadata.correlation_id),
        printed(&envelope),
        printed(&raw),
        printed(&value),
        printed(&*event),
        printed(&received(Body::Encoded(body()))),
        printed(&received(Body::Value(value.clone()))),
        printed(&stored),
        printed(&outgoing),
        printed(&encoded),
        printed(&handed),
        printed(&RawJson::from_value(SECRET).unwrap()),
        printed(&headers),
    ];
    for text in printed {
        assert!(!text.contains(SECRET), "{text}");
    }
    // What it does show is enough to find the event.
    let shown = format!("{raw:?}");
    for part in [
        "events.test.name.told",
        "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "shop",
        "user",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    // The values are there for those who ask.
    assert_eq!(headers.get("user"), Some(SECRET));
    assert_eq!(head().metadata.get("user"), Some(SECRET));
    assert_eq!(head().metadata.correlation_id.unwrap().to_string(), SECRET);
}

#[derive(EventSet, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one event has a field of each kind"
)]
enum People {
    Seen(PersonSeen),
    Told(NameTold),
}

#[test]
fn a_set_says_no_more_than_its_events() {
    let subject = Subject::parse("events.test.person.seen").unwrap();
    let head = EnvelopeHeader::new(Uuid::nil(), "person.seen", Timestamp::UNIX_EPOCH);
    let right = Bytes::from_static(RIGHT.as_bytes());
    let opened = Opened::new(&subject, "events", Content::Encoded(&head, &right));
    match People::decode(&opened).unwrap() {
        People::Seen(seen) => assert_eq!(seen.age, 7),
        People::Told(told) => panic!("{} has another subject", told.name),
    }
    let data = Bytes::from(RIGHT.replace("\"age\":7", &format!("\"age\":\"{SECRET}\"")));
    let opened = Opened::new(&subject, "events", Content::Encoded(&head, &data));
    let fault = People::decode(&opened).unwrap_err();
    assert!(!printed_error(&fault).contains(SECRET));
    assert_eq!(fault.path(), Some("age"));
}

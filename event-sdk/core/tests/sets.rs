//! Sets: lookup by subject, checks of type and version, unknown events.

use std::sync::Arc;

use bytes::Bytes;
use event_sdk_core::codec::{DecodeErrorKind, DecodeFault};
use event_sdk_core::event::{ErasedEvent, KeyUse, ValueHeader, decode_data};
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::transport::ValueBody;
use event_sdk_core::{
    EnvelopeHeader, Event, EventKey, EventSet, RawEvent, Readable, Subject, Version, Visit, Visitor,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! events {
    ($($name:ident: $($key:ident = $value:literal),*;)*) => {$(
        #[derive(Event, Serialize, Deserialize, Debug, Clone, PartialEq)]
        #[event($($key = $value),*)]
        struct $name {
            id: u64,
        }
    )*};
}

events! {
    OrderPlaced: domain = "orders", version = "2.3";
    OrderPaid: domain = "orders";
    OrderSent: domain = "orders";
    OrderLost: domain = "orders", type = "order.gone";
    LegacyMade: absolute = "legacy.made", type = "Made";
}

/// An event whose key is in its subject.
#[derive(Event, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[event(domain = "orders")]
struct OrderNoted {
    #[event(key, in_subject)]
    id: u64,
}

/// Few events, which are compared one by one.
#[derive(EventSet, Debug, PartialEq)]
enum Few {
    Placed(OrderPlaced),
    Noted(OrderNoted),
}

/// More events, which are found in a table.
#[derive(EventSet, Debug, PartialEq)]
#[event(pattern = "orders.>")]
#[expect(
    clippy::large_enum_variant,
    reason = "one that holds what no other takes"
)]
enum Many {
    Placed(OrderPlaced),
    Paid(Arc<OrderPaid>),
    Sent(OrderSent),
    Lost(OrderLost),
    Noted(OrderNoted),
    #[event(other)]
    Other(RawEvent),
}

/// The same without a variant for the rest, and with a foreign event.
#[derive(EventSet, Debug, PartialEq)]
enum Closed {
    Placed(OrderPlaced),
    Paid(OrderPaid),
    Sent(OrderSent),
    Lost(OrderLost),
    Noted(OrderNoted),
    Legacy(LegacyMade),
}

fn head(event_type: &str, version: Version) -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(Uuid::nil(), event_type, Timestamp::UNIX_EPOCH);
    head.version = version;
    head
}

fn decode<S: EventSet>(subject: &str, event_type: &str, major: u16) -> Result<S, DecodeFault> {
    let subject = Subject::parse(subject).unwrap();
    let head = head(event_type, Version::new(major, 0));
    let data = Bytes::from_static(b"{\"id\":7}");
    S::decode(&Opened::new(
        &subject,
        "prod.shop",
        Content::Encoded(&head, &data),
    ))
}

#[test]
fn each_subject_is_its_event() {
    let few = decode::<Few>("prod.shop.orders.order.placed", "order.placed", 2).unwrap();
    assert_eq!(few, Few::Placed(OrderPlaced { id: 7 }));
    let few = decode::<Few>("prod.shop.orders.order.noted.7", "order.noted", 1).unwrap();
    assert_eq!(few, Few::Noted(OrderNoted { id: 7 }));
    for (subject, event_type, major, expected) in [
        (
            "prod.shop.orders.order.placed",
            "order.placed",
            2,
            Closed::Placed(OrderPlaced { id: 7 }),
        ),
        (
            "prod.shop.orders.order.paid",
            "order.paid",
            1,
            Closed::Paid(OrderPaid { id: 7 }),
        ),
        (
            "prod.shop.orders.order.sent",
            "order.sent",
            1,
            Closed::Sent(OrderSent { id: 7 }),
        ),
        (
            "prod.shop.orders.order.lost",
            "order.gone",
            1,
            Closed::Lost(OrderLost { id: 7 }),
        ),
        (
            "prod.shop.orders.order.noted.x",
            "order.noted",
            1,
            Closed::Noted(OrderNoted { id: 7 }),
        ),
        (
            "legacy.made",
            "Made",
            1,
            Closed::Legacy(LegacyMade { id: 7 }),
        ),
    ] {
        assert_eq!(
            decode::<Closed>(subject, event_type, major).unwrap(),
            expected
        );
    }
    let paid = decode::<Many>("prod.shop.orders.order.paid", "order.paid", 1).unwrap();
    assert_eq!(paid, Many::Paid(Arc::new(OrderPaid { id: 7 })));
    let single = decode::<OrderPaid>("prod.shop.orders.order.paid", "order.paid", 1).unwrap();
    assert_eq!(single, OrderPaid { id: 7 });
}

#[test]
fn another_subject_is_no_event_of_the_set() {
    for subject in [
        "orders.order.placed",
        "prod.shop.orders.order.place",
        "prod.shop.orders.order.placed.7",
        "prod.shop.orders.order.noted",
        "prod.shop.orders.order.noted.7.8",
        "prod.shopx.orders.order.placed",
        "prod.shop.legacy.made",
        "legacy.made.7",
    ] {
        for fault in [
            decode::<Few>(subject, "order.placed", 2).unwrap_err(),
            decode::<Closed>(subject, "order.placed", 2).unwrap_err(),
            decode::<OrderPlaced>(subject, "order.placed", 2).unwrap_err(),
        ] {
            assert_eq!(fault.kind(), DecodeErrorKind::UnknownSubject, "{subject}");
        }
        let other = decode::<Many>(subject, "order.placed", 2).unwrap();
        let Many::Other(raw) = other else {
            panic!("{subject} is {other:?}");
        };
        assert_eq!(
            (raw.subject.as_str(), &*raw.data),
            (subject, &b"{\"id\":7}"[..])
        );
        assert_eq!(raw.read::<OrderPlaced>().unwrap().id, 7);
        assert_eq!(raw.read_event::<OrderPlaced>().unwrap().id, 7);
    }
}

#[test]
fn type_and_version_are_compared() {
    let subject = "prod.shop.orders.order.placed";
    for (event_type, major, kind) in [
        ("order.paid", 2, DecodeErrorKind::TypeMismatch),
        ("order.placed", 3, DecodeErrorKind::Newer),
        ("order.placed", 1, DecodeErrorKind::Older),
    ] {
        let fault = decode::<Closed>(subject, event_type, major).unwrap_err();
        assert_eq!(fault.kind(), kind, "{fault}");
    }
    // A long type is cut, and what acts on a terminal is escaped.
    let long = "\u{1b}".repeat(1000);
    let fault = decode::<Closed>(subject, &long, 2).unwrap_err().to_string();
    assert!(fault.len() < 1000 && !fault.contains('\u{1b}'), "{fault}");
    // A newer minor is read.
    let data = decode_data::<OrderPlaced>(Version::new(2, 9), b"{\"id\":7,\"more\":1}");
    assert_eq!(data.unwrap().id, 7);
}

#[test]
fn a_value_is_taken_as_it_is_or_read() {
    let subject = Subject::parse("prod.shop.orders.order.paid").unwrap();
    let event: Arc<OrderPaid> = Arc::new(OrderPaid { id: 7 });
    let erased: Arc<dyn ErasedEvent> = event.clone();
    let first = ValueHeader::first(Uuid::nil(), Timestamp::UNIX_EPOCH, "shop".into());
    let opened = Opened::new(&subject, "prod.shop", Content::Value(&first, &erased));
    let Many::Paid(taken) = Many::decode(&opened).unwrap() else {
        panic!("it has the subject of the other");
    };
    assert!(Arc::ptr_eq(&taken, &event));
    assert_eq!(OrderPaid::decode(&opened).unwrap(), *event);
    // As another type of the same subject and type it is written and read.
    let raw = RawEvent::decode(&opened).unwrap();
    assert_eq!(
        (&*raw.data, &*raw.head.source),
        (&b"{\"id\":7}"[..], "shop")
    );
    let other = Subject::parse("prod.shop.orders.order.sent").unwrap();
    let opened = Opened::new(&other, "prod.shop", Content::Value(&first, &erased));
    let fault = Closed::decode(&opened).unwrap_err();
    assert_eq!(fault.kind(), DecodeErrorKind::TypeMismatch);
}

#[test]
fn the_first_of_a_story_has_a_whole_head() {
    let event = &OrderPlaced { id: 7 };
    let mut head = ValueHeader::first(Uuid::from_u128(7), Timestamp::UNIX_EPOCH, "shop".into());
    let whole = head.to_header(event).into_owned();
    assert_eq!(
        (whole.event_id, &*whole.event_type),
        (Uuid::from_u128(7), "order.placed")
    );
    assert_eq!(
        (whole.version, &*whole.source),
        (Version::new(2, 3), "shop")
    );
    let story = whole.metadata.correlation_id.clone().unwrap();
    assert_eq!(
        (story.as_uuid(), whole.metadata.causation_id.clone()),
        (Some(Uuid::from_u128(7)), None)
    );
    head.change(event, |head| head.metadata.insert("a", "b"));
    head.change(event, |head| head.timestamp = Timestamp::MAX);
    let changed = head.to_header(event);
    assert_eq!(changed.metadata.get("a"), Some("b"));
    assert_eq!(
        (head.event_id(), head.timestamp()),
        (Uuid::from_u128(7), Timestamp::MAX)
    );
    assert_eq!(
        ValueHeader::from(whole.clone())
            .to_header(event)
            .into_owned(),
        whole
    );
}

#[test]
fn a_value_has_its_key_without_being_encoded() {
    let value = |head, id| ValueBody {
        head,
        event: Arc::new(OrderNoted { id }),
    };
    let first = || ValueHeader::first(Uuid::nil(), Timestamp::UNIX_EPOCH, "shop".into());
    assert_eq!(value(first(), 7).key().as_deref(), Some("7"));
    let mut changed = first();
    changed.change(&OrderNoted { id: 8 }, |head| head.metadata.insert("a", "b"));
    // A header that another program has made may lack the key.
    let bare = EnvelopeHeader::new(Uuid::nil(), "order.noted", Timestamp::UNIX_EPOCH);
    for head in [first(), changed, bare.into()] {
        let value = value(head, 8);
        assert_eq!(value.key().as_deref(), Some("8"));
        assert_eq!(
            value
                .to_header()
                .metadata
                .key
                .as_ref()
                .map(EventKey::text)
                .as_deref(),
            Some("8")
        );
    }
    let none = ValueBody {
        head: first(),
        event: Arc::new(OrderPaid { id: 7 }),
    };
    assert_eq!(
        (none.key(), none.to_header().metadata.key.clone()),
        (None, None)
    );
}

/// A key that cannot be shown.
#[derive(Serialize, Deserialize)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderBroken {
    #[event(key)]
    key: Broken,
}

#[test]
fn a_value_whose_key_cannot_be_shown_has_none() {
    let head = ValueHeader::first(Uuid::nil(), Timestamp::UNIX_EPOCH, "shop".into());
    let event = Arc::new(OrderBroken { key: Broken });
    let value = ValueBody { head, event };
    assert_eq!(
        (value.key(), value.to_header().metadata.key.clone()),
        (None, None)
    );
}

struct Names(Vec<&'static str>);

impl<E: Readable> Visitor<E> for Names {
    fn visit(&mut self) {
        self.0.push(E::SPEC.name());
    }
}

#[test]
fn a_set_says_its_events() {
    let names: Vec<_> = Many::MEMBERS.iter().map(|spec| spec.name()).collect();
    assert_eq!(
        names,
        [
            "OrderPlaced",
            "OrderPaid",
            "OrderSent",
            "OrderLost",
            "OrderNoted"
        ]
    );
    assert_eq!((Many::PATTERN, Many::TAKES_OTHER), (Some("orders.>"), true));
    assert_eq!((Few::PATTERN, Few::TAKES_OTHER), (None, false));
    assert_eq!((OrderPaid::PATTERN, OrderPaid::TAKES_OTHER), (None, false));
    assert_eq!(
        (RawEvent::PATTERN, RawEvent::TAKES_OTHER),
        (Some(">"), true)
    );
    let mut visited = Names(Vec::new());
    Many::visit_all(&mut visited);
    RawEvent::visit_all(&mut visited);
    assert_eq!(visited.0, names);
    let spec = &OrderNoted::SPEC;
    assert_eq!(
        (spec.filter(), spec.key_use()),
        ("orders.order.noted.*", KeyUse::InSubject)
    );
    assert_eq!(OrderNoted { id: 7 }.key().unwrap().to_string(), "7");
    assert!(OrderPaid { id: 7 }.key().is_none());
    let legacy = &LegacyMade::SPEC;
    assert!(legacy.is_absolute() && legacy.domain().is_none() && legacy.action().is_none());
    let placed = &OrderPlaced::SPEC;
    assert_eq!(
        (placed.domain(), placed.entity(), placed.action()),
        (Some("orders"), Some("order"), Some("placed"))
    );
}

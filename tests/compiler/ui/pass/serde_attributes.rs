//! serde attributes that keep the shape known and open are allowed.

use event_sdk::{Event, Pii, Readable};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all = "camelCase", rename = "order", expecting = "an order")]
struct OrderPlaced {
    order_id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "remark")]
    note: Option<String>,
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, String>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(transparent)]
struct OrderCounted(u64);

#[derive(Event, Clone, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(try_from = "RawSize", into = "RawSize")]
struct OrderSized {
    cm: u8,
}

#[derive(Serialize, Deserialize)]
struct RawSize {
    mm: u16,
}

impl TryFrom<RawSize> for OrderSized {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: RawSize) -> Result<Self, Self::Error> {
        Ok(Self { cm: (raw.mm / 10).try_into()? })
    }
}

impl From<OrderSized> for RawSize {
    fn from(size: OrderSized) -> Self {
        Self { mm: u16::from(size.cm) * 10 }
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(default, rename_all(serialize = "camelCase", deserialize = "camelCase"))]
#[derive(Default)]
struct OrderNamed {
    first_name: String,
}

/// What serde writes here is read as what it was.
#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(domain = "orders")]
struct OrderChanged {
    #[event(key)]
    #[serde(rename(serialize = "order_id", deserialize = "id"), alias = "order_id")]
    id: u64,
    #[serde(skip)]
    cached: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Remark,
    #[serde(skip_serializing_if = "no_person")]
    person: Pii<Option<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
    #[serde(with = "hex")]
    number: u64,
    #[serde(serialize_with = "hex::serialize", deserialize_with = "hex::deserialize")]
    other: u64,
    #[serde(deserialize_with = "lenient")]
    cents: i64,
    #[serde(rename = "type", alias = "sort")]
    kind: String,
    text: std::borrow::Cow<'static, str>,
    marker: std::marker::PhantomData<&'static str>,
    #[serde(flatten, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    rest: std::collections::BTreeMap<String, String>,
}

fn no_person(person: &Pii<Option<String>>) -> bool {
    person.expose().is_none()
}

/// An `Option` under another name.
type Remark = Option<String>;

#[derive(Event, Serialize, Deserialize, Default)]
#[event(domain = "orders")]
#[serde(default)]
struct OrderClosed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
}

/// The tag is one more field, which readers skip.
#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(domain = "orders")]
#[serde(tag = "kind", rename_all = "camelCase")]
struct OrderTagged {
    kind_of: u8,
    #[serde(flatten)]
    more: More,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct More {
    price: i64,
}

/// The last of a tuple may be absent.
#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(domain = "orders")]
struct OrderNoted(u64, #[serde(default, skip_serializing_if = "Option::is_none")] Option<u8>);

mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{id:x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// Takes what others write too.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    f64::deserialize(deserializer).map(|cents| cents as i64)
}

fn round_trip<E: Event + std::fmt::Debug + PartialEq>(event: E) {
    let json = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<E>(&json).unwrap(), event, "{json}");
}

fn main() {
    round_trip(OrderChanged {
        id: 7,
        cached: None,
        note: None,
        remark: None,
        person: Pii::new(None),
        items: Vec::new(),
        number: 255,
        other: 16,
        cents: -3,
        kind: "a".to_owned(),
        text: "b".into(),
        marker: std::marker::PhantomData,
        rest: [("more".to_owned(), "c".to_owned())].into(),
    });
    round_trip(OrderTagged { kind_of: 1, more: More { price: 2 } });
    round_trip(OrderNoted(1, None));
    round_trip(OrderNoted(1, Some(2)));

    let named = serde_json::to_string(&OrderNamed { first_name: "Ada".into() }).unwrap();
    assert_eq!(named, r#"{"firstName":"Ada"}"#);
    assert_eq!(OrderClosed::SPEC.event_type(), "order.closed");
    assert_eq!(OrderPlaced::SPEC.event_type(), "order.placed");
    assert_eq!(OrderCounted::SPEC.event_type(), "order.counted");
    assert_eq!(OrderSized::SPEC.event_type(), "order.sized");
}

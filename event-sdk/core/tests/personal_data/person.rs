//! Test support: an event with fields of every kind.

use std::collections::{BTreeMap, HashMap};

use event_sdk_core::event::decode_data;
use event_sdk_core::{Event, Version};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(crate = event_sdk_core, domain = "test")]
pub(crate) struct PersonSeen {
    pub(crate) age: u64,
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

pub(crate) const RIGHT: &str = r#"{"age":7,"id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","items":[{"price":1.5},{"price":2.5}],
"balances":{"KEY":1},"by_kind":{"red":1},"by_number":{},"payment":{"Card":{"number":1}},"tagged":{"kind":"A","a":1},"untagged":1,
"even":"even","small":7,"pair":[1,true],"big":1,"inner":7}"#;

#[test]
fn what_is_right_is_read() {
    let read: PersonSeen = decode_data(Version::new(1, 0), RIGHT.as_bytes()).unwrap();
    assert_eq!(read.balances.len(), 1);
}

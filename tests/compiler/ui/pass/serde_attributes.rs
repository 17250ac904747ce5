//! serde attributes that keep the shape known and open are allowed.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all = "camelCase", tag = "kind", rename = "order", expecting = "an order")]
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

fn main() {
    let named = serde_json::to_string(&OrderNamed { first_name: "Ada".into() }).unwrap();
    assert_eq!(named, r#"{"firstName":"Ada"}"#);
    assert_eq!(OrderPlaced::SPEC.event_type(), "order.placed");
    assert_eq!(OrderCounted::SPEC.event_type(), "order.counted");
    assert_eq!(OrderSized::SPEC.event_type(), "order.sized");
}

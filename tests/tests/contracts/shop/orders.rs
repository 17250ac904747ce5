//! Orders: nested objects, lists, maps, optional and flattened fields, an older version.

use std::collections::BTreeMap;

use event_schemas::Catalogue;
use event_sdk::{Event, Pii};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A customer has placed an order.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", version = "2.1", upcast_from = OrderPlacedV1)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderPlaced {
    /// The number of the order, as it is on the receipt.
    #[event(key, in_subject)]
    order: String,
    /// The basket that it was made of.
    basket_id: Uuid,
    /// When the customer pressed the button.
    placed_at: Timestamp,
    /// What was ordered, at least one line.
    lines: Vec<OrderLine>,
    /// Where it goes; nowhere if it is collected.
    ship_to: Option<Address>,
    /// What it costs, by what it is for.
    totals: BTreeMap<String, Money>,
    /// A gift: no price is shown on the paper.
    #[serde(default)]
    gift: bool,
    /// Left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voucher: Option<String>,
    #[serde(flatten)]
    origin: Origin,
}

/// A line of an order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OrderLine {
    /// The article.
    sku: String,
    quantity: u32,
    /// For one piece.
    price: Money,
}

/// An amount of money.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Money {
    /// In the smallest unit of the currency.
    amount: i64,
    /// ISO 4217.
    #[schemars(length(equal = 3))]
    currency: String,
}

/// Where a parcel goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Address {
    /// The person.
    name: Pii<String>,
    street: Pii<String>,
    city: String,
    /// ISO 3166-1, two letters.
    country: String,
}

/// Where the order came from.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Origin {
    channel: SalesChannel,
    /// The campaign that brought the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
}

/// A way to sell.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SalesChannel {
    /// The web shop.
    Web,
    /// A till.
    InStore,
    Phone,
}

/// A customer has placed an order.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "1.0"
)]
pub(crate) struct OrderPlacedV1 {
    /// The number of the order.
    #[event(key, in_subject)]
    order: String,
    placed_at: Timestamp,
    /// The articles, one entry a piece.
    skus: Vec<String>,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        let line = |sku| OrderLine {
            sku,
            quantity: 1,
            price: Money {
                amount: 0,
                currency: "EUR".to_owned(),
            },
        };
        Self {
            order: old.order,
            basket_id: Uuid::nil(),
            placed_at: old.placed_at,
            lines: old.skus.into_iter().map(line).collect(),
            ship_to: None,
            totals: BTreeMap::new(),
            gift: false,
            voucher: None,
            origin: Origin {
                channel: SalesChannel::Web,
                campaign: None,
            },
        }
    }
}

/// An order was cancelled before it was sent.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub(crate) struct OrderCancelled {
    #[event(key, in_subject)]
    order: String,
    reason: CancelReason,
    /// How the money goes back, if there was any.
    #[serde(flatten)]
    refund: Option<Refund>,
}

/// A way back for money.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Refund {
    /// As a voucher of this code.
    AsVoucher { code: String },
    /// To an account.
    ToAccount { cents: u32 },
}

/// Why an order was cancelled: by its name alone, or with what belongs to it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CancelReason {
    /// The customer did not want it any longer.
    Customer,
    /// There was nothing left of an article.
    OutOfStock { sku: String, missing: u32 },
    /// In the words of whoever did it.
    Other(String),
}

pub(super) fn examples(catalogue: Catalogue) -> Catalogue {
    let euro = |amount| Money {
        amount,
        currency: "EUR".to_owned(),
    };
    let at = Timestamp::from_second(1_762_430_400).unwrap_or_default();
    catalogue
        .example(OrderPlaced {
            order: "A-1004".to_owned(),
            basket_id: Uuid::from_u128(0x0193_a5c2_7b1e_7c4a_9f55_2f6d_6f1f_0b11),
            placed_at: at,
            lines: vec![OrderLine {
                sku: "tea-green-100".to_owned(),
                quantity: 2,
                price: euro(450),
            }],
            ship_to: Some(Address {
                name: Pii::new("Zoë Núñez".to_owned()),
                street: Pii::new("Calle Mayor 7".to_owned()),
                city: "Zaragoza".to_owned(),
                country: "ES".to_owned(),
            }),
            totals: BTreeMap::from([
                ("goods".to_owned(), euro(900)),
                ("shipping".to_owned(), euro(390)),
            ]),
            gift: false,
            voucher: Some("AUTUMN".to_owned()),
            origin: Origin {
                channel: SalesChannel::Web,
                campaign: None,
            },
        })
        .example(OrderPlacedV1 {
            order: "A-0007".to_owned(),
            placed_at: at,
            skus: vec!["tea-black-100".to_owned()],
        })
        .example(OrderCancelled {
            order: "A-1004".to_owned(),
            reason: CancelReason::OutOfStock {
                sku: "tea-green-100".to_owned(),
                missing: 1,
            },
            refund: Some(Refund::ToAccount { cents: 900 }),
        })
        .example(OrderCancelled {
            order: "A-1005".to_owned(),
            reason: CancelReason::Customer,
            refund: None,
        })
}

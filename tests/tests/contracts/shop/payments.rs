//! Payments: internally tagged, adjacently tagged and untagged enums.

use event_schemas::Catalogue;
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Money has arrived.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "payments")]
pub(crate) struct PaymentTaken {
    #[event(key)]
    order: String,
    /// In cents.
    amount: u64,
    method: Method,
    /// What the bank called it.
    reference: Reference,
    /// What a person at the till wrote.
    note: Option<String>,
}

/// How it was paid.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Method {
    /// With a card.
    Card {
        last_four: String,
        contactless: bool,
    },
    /// By transfer.
    Transfer { iban: String },
    /// In coins and notes.
    Cash,
}

/// A text or a number: banks differ.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Reference {
    Number(u64),
    Text(String),
}

/// Money has not arrived.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "payments")]
pub(crate) struct PaymentRefused {
    #[event(key)]
    order: String,
    cause: Cause,
}

/// Why a payment was refused.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "detail", rename_all = "SCREAMING_SNAKE_CASE")]
enum Cause {
    /// There was not enough on the account; how much was missing, in cents.
    Funds(u64),
    Limit {
        allowed: u64,
        asked: u64,
    },
    Expired,
}

pub(super) fn examples(catalogue: Catalogue) -> Catalogue {
    catalogue
        .example(PaymentTaken {
            order: "A-1004".to_owned(),
            amount: 1290,
            method: Method::Card {
                last_four: "4242".to_owned(),
                contactless: true,
            },
            reference: Reference::Text("RF18-5390".to_owned()),
            note: None,
        })
        .example(PaymentTaken {
            order: "A-1006".to_owned(),
            amount: 500,
            method: Method::Cash,
            reference: Reference::Number(77),
            note: Some("exact change".to_owned()),
        })
        .example(PaymentRefused {
            order: "A-1005".to_owned(),
            cause: Cause::Limit {
                allowed: 100,
                asked: 1290,
            },
        })
        .example(PaymentRefused {
            order: "A-1007".to_owned(),
            cause: Cause::Expired,
        })
}

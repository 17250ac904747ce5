//! Stock: number types, tuples, sets, a recursive type, a foreign subject.

use std::collections::BTreeSet;

use event_schemas::Catalogue;
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody has counted what is on a shelf.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "stock", entity = "shelf", action = "counted")]
pub(crate) struct StockCounted {
    #[event(key)]
    shelf: String,
    /// Negative where more was sold than was there.
    pieces: i32,
    /// In kilogrammes.
    weight: f64,
    /// The share of the shelf that is full, in percent.
    #[schemars(range(max = 100))]
    full: u8,
    /// Row and place.
    place: (u16, u16),
    labels: BTreeSet<String>,
}

/// A category has got another parent.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "stock")]
pub(crate) struct CategoryMoved {
    #[event(key)]
    category: String,
    /// The tree below it, as it is now.
    tree: Category,
}

/// A category and all below it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Category {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    children: Vec<Category>,
}

/// The carrier has scanned a parcel: the carrier's own event.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(absolute = "acme-carrier.Parcel.Scanned", type = "parcel.scanned")]
pub(crate) struct ParcelScanned {
    barcode: String,
    #[serde(rename = "Depot")]
    depot: Option<String>,
}

pub(super) fn examples(catalogue: Catalogue) -> Catalogue {
    let leaf = |name: &str| Category {
        name: name.to_owned(),
        children: Vec::new(),
    };
    catalogue
        .example(StockCounted {
            shelf: "T4".to_owned(),
            pieces: -2,
            weight: 12.5,
            full: 40,
            place: (3, 14),
            labels: BTreeSet::from(["fragile".to_owned(), "new".to_owned()]),
        })
        .example(CategoryMoved {
            category: "tea".to_owned(),
            tree: Category {
                name: "tea".to_owned(),
                children: vec![leaf("green"), leaf("black")],
            },
        })
        .example(ParcelScanned {
            barcode: "00340434".to_owned(),
            depot: Some("ZAZ".to_owned()),
        })
}

//! Golden documents: written once, readable by later versions.

use std::collections::{BTreeMap, HashMap};

use event_schemas::Catalogue;
use event_schemas::lock::Lock;
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shop::{NoWay, PlacedV2, first, generate, shop, shop_with};

#[test]
fn old_versions_are_read_through_upcasters() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    let newer = shop_with::<PlacedV2>();
    generate(&newer, dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    assert_eq!(lock.golden_faults(&newer).len(), 0);
}

#[test]
fn an_old_version_without_a_way_to_the_newest_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    let faults = lock.golden_faults(&shop_with::<NoWay>());
    assert_eq!(faults.len(), 1);
    let text = faults[0].to_string();
    assert!(
        text.starts_with("orders.order.placed/1.0.golden.json: version 1.0"),
        "{text}"
    );
    let source = faults[0].source.to_string();
    assert!(
        source.contains("there is no way from version 1.0 to 2.0"),
        "{source}"
    );
}

#[test]
fn an_upcaster_that_refuses_the_document_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let void = first::Placed {
        id: 7,
        note: Some("void".to_owned()),
    };
    let catalogue = shop_with::<first::Placed>().example(void);
    generate(&catalogue, dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    let faults = lock.golden_faults(&shop_with::<PlacedV2>());
    let source = faults[0].source.to_string();
    assert!(
        source.contains("its conversion refuses the event"),
        "{source}"
    );
    // What it says may quote the document, so it is not shown.
    assert!(!source.contains("void orders are none"), "{source}");
}

#[test]
fn another_example_does_not_change_a_golden_document() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let written = generate(
        &shop_with::<first::Placed>().example(first::Placed { id: 9, note: None }),
        dir.path(),
    );
    assert_eq!(
        written.unwrap().files,
        ["orders.order.placed/1.0.json", "index.json"]
    );
}

#[test]
fn what_is_made_up_has_an_entry_in_each_map_so_that_its_values_are_read() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "stock")]
    struct StockCounted {
        by_name: BTreeMap<String, Price>,
        by_number: HashMap<u32, Price>,
        maybe: Option<BTreeMap<String, Vec<Price>>>,
        by_kind: BTreeMap<Kind, u8>,
        #[serde(flatten)]
        more: BTreeMap<String, u8>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Price {
        cents: u32,
    }

    #[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
    enum Kind {
        Lamp,
    }

    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new("Stock").events_of::<StockCounted>();
    generate(&catalogue, dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    let data = lock.events()[0].versions()[0].golden().data();
    let expected = serde_json::json!({
        "by_name": { "key": { "cents": 1 } },
        "by_number": { "1": { "cents": 1 } },
        "maybe": { "key": [{ "cents": 1 }] },
        "by_kind": { "Lamp": 1 },
        "key": 1,
    });
    assert_eq!(*data, expected);
    assert_eq!(lock.golden_faults(&catalogue).len(), 0);
}

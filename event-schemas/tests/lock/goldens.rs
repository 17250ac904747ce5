//! Golden documents: written once, readable by later versions.

use event_schemas::lock::Lock;

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
    assert!(source.contains("void orders are none"), "{source}");
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

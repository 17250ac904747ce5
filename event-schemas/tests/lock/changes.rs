//! Which changes of a catalogue may be written over a lock.

use event_schemas::lock::{self, Change, Conflict, Lock, Options};
use event_sdk::Version;

use crate::shop::{
    OrderPaid, PlacedV2, conflicts, described, files, first, generate, minor, renamed, shop_with,
};

const PLACED: &str = "orders.order.placed";

#[test]
fn what_is_only_said_can_change() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let written = generate(&shop_with::<described::Placed>(), dir.path()).unwrap();
    assert_eq!(
        written.files,
        ["orders.order.placed/1.0.json", "index.json"]
    );
    Lock::read(dir.path()).unwrap();
}

#[test]
fn a_locked_version_is_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let before = files(dir.path());
    let conflicts = conflicts(generate(&shop_with::<renamed::Placed>(), dir.path()));
    assert_eq!(
        conflicts,
        [Conflict::Changed {
            subject: PLACED.to_owned(),
            version: Version::new(1, 0),
            changes: vec![Change::Written, Change::Read],
        }]
    );
    let text = conflicts[0].to_string();
    for part in ["`1.1`", "`2.0`", "--replace orders.order.placed"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_version_that_nobody_has_seen_can_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let options = Options::default().replace(PLACED);
    lock::generate(&shop_with::<renamed::Placed>(), dir.path(), &options).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    let golden = lock
        .event(PLACED, false)
        .unwrap()
        .newest()
        .unwrap()
        .golden();
    assert_eq!(golden.data()["number"], 1);
    assert!(
        lock.golden_faults(&shop_with::<renamed::Placed>())
            .is_empty()
    );
}

#[test]
fn a_new_version_is_added_and_the_old_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let before = files(dir.path());
    generate(&shop_with::<minor::Placed>(), dir.path()).unwrap();
    generate(&shop_with::<PlacedV2>(), dir.path()).unwrap();
    let after = files(dir.path());
    for file in before.iter().filter(|(path, _)| path.starts_with(PLACED)) {
        assert!(after.contains(file), "{} has changed", file.0);
    }
    let lock = Lock::read(dir.path()).unwrap();
    let versions = lock.event(PLACED, false).unwrap().versions().iter();
    let versions: Vec<String> = versions.map(|one| one.version().to_string()).collect();
    assert_eq!(versions, ["1.0", "1.1", "2.0"]);
}

#[test]
fn a_version_does_not_go_back() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<minor::Placed>(), dir.path()).unwrap();
    let conflicts = conflicts(generate(&shop_with::<first::Placed>(), dir.path()));
    assert_eq!(
        conflicts,
        [Conflict::WentBack {
            subject: PLACED.to_owned(),
            version: Version::new(1, 0),
            newest: Version::new(1, 1),
        }]
    );
}

#[test]
fn an_event_is_not_forgotten_but_retired() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let before = files(dir.path());
    let without = shop_with::<OrderPaid>();
    let conflicts = conflicts(generate(&without, dir.path()));
    let subject = PLACED.to_owned();
    assert_eq!(conflicts, [Conflict::Gone { subject }]);
    assert_eq!(files(dir.path()), before);

    lock::generate(&without, dir.path(), &Options::default().retire(PLACED)).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    assert!(lock.event(PLACED, false).unwrap().is_retired());
    assert_eq!(files(dir.path()).len(), before.len());
    // It stays so without being told again, and comes back with the event.
    assert!(generate(&without, dir.path()).unwrap().files.is_empty());
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    assert_eq!(files(dir.path()), before);
}

#[test]
fn options_that_name_no_event_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::default().replace("no.such").retire(PLACED);
    let result = lock::generate(&shop_with::<first::Placed>(), dir.path(), &options);
    let texts: Vec<String> = conflicts(result).iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`--replace no.such`: there is no such event in the catalogue",
            "`--retire orders.order.placed`: it is in the catalogue; take it out there first",
        ]
    );
}

#[test]
fn a_stream_that_no_longer_stores_the_event_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<first::Placed>(), dir.path()).unwrap();
    let moved = event_schemas::Catalogue::new("Shop")
        .events_of::<first::Placed>()
        .events_of::<OrderPaid>();
    let texts: Vec<String> = conflicts(generate(&moved, dir.path()))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(
        texts[0].contains("the stream ORDERS no longer stores it"),
        "{texts:?}"
    );
}

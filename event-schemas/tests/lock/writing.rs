//! Writing the files of a lock, all or none.

use std::fs;

use event_schemas::Catalogue;
use event_schemas::lock::{self, GenerateError, Lock, LockedEvent, MadeFrom, Options};
use event_schemas_subset::Schema;
use event_sdk::Version;

use crate::shop::{OrderPaid, files, generate, shop, shop_with};

#[test]
fn the_same_catalogue_gives_the_same_files() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let written = generate(&shop(), one.path()).unwrap();
    assert_eq!(
        written.files,
        [
            "envelope.json",
            "orders.order.paid/1.0.golden.json",
            "orders.order.paid/1.0.json",
            "orders.order.placed/1.0.golden.json",
            "orders.order.placed/1.0.json",
            "index.json",
        ]
    );
    generate(&shop(), other.path()).unwrap();
    assert_eq!(files(one.path()), files(other.path()));
}

#[test]
fn a_second_time_there_is_nothing_to_write() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    let again = generate(&shop(), dir.path()).unwrap();
    assert!(again.files.is_empty(), "{again:?}");
    assert_eq!(again.unchanged, 6);
    let drift = lock::drift(&shop(), dir.path(), &Options::default()).unwrap();
    assert!(drift.is_empty(), "{drift:?}");
}

#[test]
fn what_was_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = shop();
    generate(&catalogue, dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    let subjects: Vec<_> = lock.events().iter().map(LockedEvent::subject).collect();
    assert_eq!(subjects, ["orders.order.paid", "orders.order.placed"]);
    for entry in catalogue.events() {
        let spec = entry.spec();
        let event = lock.event(spec.subject(), false).unwrap();
        let locked = event.version(Version::new(1, 0)).unwrap();
        assert_eq!(locked.event_type(), spec.event_type());
        assert_eq!(locked.key_use(), spec.key_use());
        assert_eq!(locked.stream(), Some("ORDERS"));
        assert_eq!(locked.publishers(), ["orders"]);
        assert_eq!(locked.consumers(), ["billing"]);
        assert_eq!(locked.reader(), entry.reader());
        let mut writer = locked.writer().clone();
        writer.as_object_mut().unwrap().remove("examples");
        assert_eq!(&writer, entry.writer());
        assert_eq!(locked.envelope(), &entry.envelope());
    }
}

#[test]
fn a_lock_is_read_from_files_too() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    let files = files(dir.path()).into_iter();
    let lock = Lock::from_files(files.map(|(path, text)| (path, text.into_bytes()))).unwrap();
    assert_eq!(lock.events().len(), 2);
}

#[test]
fn golden_documents_are_accepted_by_the_schema_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    let lock = Lock::read(dir.path()).unwrap();
    for (subject, made_from) in [
        ("orders.order.placed", MadeFrom::Example),
        ("orders.order.paid", MadeFrom::Schema),
    ] {
        let locked = lock.event(subject, false).unwrap().newest().unwrap();
        let golden = locked.golden();
        assert_eq!(golden.made_from(), made_from);
        let envelope = serde_json::from_slice(golden.envelope()).unwrap();
        let schema = Schema::parse(locked.envelope()).unwrap();
        assert_eq!(schema.validate(&envelope), []);
    }
    let placed = lock.event("orders.order.placed", false).unwrap();
    let data = placed.newest().unwrap().golden().data();
    assert_eq!(data["note"], "by the door");
}

#[test]
fn other_files_and_line_ends_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    fs::write(dir.path().join("check.toml"), "mode = \"full\"\n").unwrap();
    for (path, text) in files(dir.path()) {
        let path = dir.path().join(path);
        fs::write(path, text.replace('\n', "\r\n")).unwrap();
    }
    let before = files(dir.path());
    let again = generate(&shop(), dir.path()).unwrap();
    assert!(again.files.is_empty(), "{again:?}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn when_a_file_cannot_be_moved_in_all_are_put_back() {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop_with::<OrderPaid>(), dir.path()).unwrap();
    let before = files(dir.path());
    // A file where the folder of an event has to be.
    fs::write(dir.path().join("orders.order.placed"), "in the way").unwrap();
    match generate(&shop(), dir.path()) {
        Err(GenerateError::Write(why)) => assert!(why.restored, "{why}"),
        other => panic!("{other:?}"),
    }
    fs::remove_file(dir.path().join("orders.order.placed")).unwrap();
    assert_eq!(files(dir.path()), before);
}

#[test]
fn nothing_is_written_of_a_catalogue_with_faults() {
    let dir = tempfile::tempdir().unwrap();
    let doubled = shop().stream(event_sdk::stream::StreamSpec::new("MORE").subject("orders.>"));
    match generate(&doubled, dir.path()) {
        Err(GenerateError::Faults(faults)) => assert!(
            faults[0]
                .to_string()
                .contains("the streams ORDERS and MORE both store it"),
            "{faults:?}"
        ),
        other => panic!("{other:?}"),
    }
    assert!(files(dir.path()).is_empty());
    assert!(Catalogue::new("Empty").faults().is_empty());
}

//! `schemas generate`.

use std::fs;

use crate::run::{OrderPaid, schemas, shop};
use event_schemas::Catalogue;

#[test]
fn it_writes_and_then_has_nothing_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let before = schemas(&shop(), dir.path(), "generate --check");
    assert_eq!(before.code, 1);
    assert!(before.out.contains("differs index.json"), "{}", before.out);
    assert!(
        before.out.contains("run `schemas generate`"),
        "{}",
        before.out
    );

    let written = schemas(&shop(), dir.path(), "generate");
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    assert!(written.out.contains("wrote orders.order.placed/1.0.json"));
    assert!(written.out.contains("2 events in"), "{}", written.out);
    assert!(
        written.out.ends_with(": 6 files written, 0 unchanged\n"),
        "{}",
        written.out
    );

    let after = schemas(&shop(), dir.path(), "generate --check");
    assert_eq!(after.code, 0);
    assert!(after.out.contains("is as the code says"));
}

#[test]
fn a_conflict_ends_with_one_and_says_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    schemas(&shop(), dir.path(), "generate");
    let less = Catalogue::new("Shop").events_of::<OrderPaid>();
    let ended = schemas(&less, dir.path(), "generate");
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    assert!(
        ended
            .out
            .contains("conflict: orders.order.placed is in the lock")
    );
    assert!(ended.out.contains("`--retire orders.order.placed`"));
    assert!(ended.out.ends_with("Nothing was written.\n"));
}

#[test]
fn faults_of_the_catalogue_end_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let stream = event_sdk::stream::StreamSpec::new("MORE").subject("orders.order.*");
    let ended = schemas(&shop().stream(stream), dir.path(), "generate");
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .out
            .starts_with("fault: orders.order.placed 1.0: the streams"),
        "{}",
        ended.out
    );
}

#[test]
fn a_lock_that_cannot_be_read_ends_with_two() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("index.json"), "{").unwrap();
    let ended = schemas(&shop(), dir.path(), "generate");
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("index.json is no JSON"), "{}", ended.err);
    assert!(ended.err.contains("EOF while parsing"), "{}", ended.err);
}

#[test]
fn help_has_examples_and_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["", "generate", "list", "show"] {
        let ended = schemas(&shop(), dir.path(), &format!("{command} --help"));
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        let examples = if command.is_empty() {
            "Start here:"
        } else {
            "Examples:"
        };
        assert!(ended.out.contains(examples), "{}", ended.out);
        assert!(!ended.out.contains('\u{1b}'), "{:?}", ended.out);
    }
    let wrong = schemas(&shop(), dir.path(), "genrate");
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("generate"), "{}", wrong.err);
}

#[test]
fn colours_are_there_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let ended = schemas(&shop(), dir.path(), "generate --color always");
    assert!(ended.out.contains("\u{1b}["), "{:?}", ended.out);
}

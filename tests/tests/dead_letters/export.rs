//! A letter as a unit test: the source is compiled here, with a handler that fails and one that
//! does not.

use std::cell::Cell;
use std::panic::catch_unwind;

use bytes::Bytes;
use event_sdk::EventSet;
use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, ExportedLetter, Origin};

use crate::rig::{OrderPlaced, letter, time};

/// What the consumer reads.
#[derive(Debug, PartialEq, EventSet)]
pub(crate) enum OrderEvents {
    Placed(OrderPlaced),
}

thread_local! {
    /// Whether the handler is as it was when the event failed.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
    static HANDLED: Cell<u64> = const { Cell::new(0) };
}

async fn handle(event: OrderEvents) -> Result<(), std::io::Error> {
    let OrderEvents::Placed(order) = event;
    HANDLED.set(order.id);
    if BROKEN.get() {
        return Err(std::io::Error::other("the price list is incomplete"));
    }
    Ok(())
}

fn exported() -> DeadLetter {
    let mut letter = letter(7);
    letter
        .headers
        .insert("X-Quote", r#"a "quote" \ and so on"#)
        .unwrap();
    letter
        .errors
        .push("evil\n}\ncompile_error!(\"ended the comment\");".to_owned());
    letter
}

/// What `to_test` writes, as it is compiled: it runs as a test here, with the repaired handler.
mod source {
    use super::{OrderEvents, handle};

    include!("exported_test.txt");

    pub(super) fn run() {
        dead_letter_order_placed_orders_7();
    }
}

#[test]
fn the_source_is_what_is_compiled_here() {
    let written = exported().to_test("OrderEvents", "handle");
    assert_eq!(written, include_str!("exported_test.txt"), "{written}");
}

#[test]
fn the_test_fails_as_long_as_the_handler_fails() {
    BROKEN.set(true);
    assert!(catch_unwind(source::run).is_err());
    assert_eq!(HANDLED.get(), 7, "it was decoded, and handled");
    BROKEN.set(false);
    source::run();
}

#[test]
fn bytes_that_are_no_text_are_exported_too() {
    let body = Bytes::from_static(b"\xff\0\"#\n no JSON");
    let origin = Origin::new("LEGACY", 9, "legacy.\u{202e}x", "events");
    let letter = DeadLetter::new("n", origin, DeadLetterClass::Unreadable, time(0), body);
    let written = letter.to_test("OrderEvents", "handle");
    assert!(
        written.contains("async fn dead_letter_unreadable_legacy_9()"),
        "{written}"
    );
    assert!(
        written.contains(r##"body: b"\xff\x00\"#\n no JSON","##),
        "{written}"
    );
    assert!(
        written.contains("subject: \"legacy.\\u{202e}x\""),
        "{written}"
    );

    let mut fenced = letter.clone();
    fenced.body = Bytes::from_static(b"a\"#b\"##c");
    let written = fenced.to_test("OrderEvents", "handle");
    assert!(
        written.contains("r###\"a\"#b\"##c\"###.as_bytes()"),
        "{written}"
    );

    let unreadable = ExportedLetter {
        subject: "legacy.x",
        prefix: None,
        headers: &[],
        body: b"\xff",
    };
    assert!(unreadable.decode::<OrderEvents>().is_err());
}

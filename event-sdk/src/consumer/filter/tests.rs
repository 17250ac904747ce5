//! Tests of filters: each kind, patterns, tags, and what `Debug` shows.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;

fn envelope() -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(Uuid::nil(), "order.placed", Timestamp::UNIX_EPOCH);
    head.source = "web-7".into();
    head.metadata.insert("region", "eu-west-1");
    head.metadata.insert("tags", "canary, priority");
    head.metadata.insert_json("attempt", &3).unwrap();
    head.metadata.insert("correlation_id", "ticket 7");
    head.metadata.insert("key", "order 7");
    head
}

#[test]
fn patterns() {
    for (pattern, text, matches) in [
        ("order.placed", "order.placed", true),
        ("order.placed", "order.placed.late", false),
        ("order.*", "order.placed", true),
        ("order.*", "order", false),
        ("order.*", "orders.placed", false),
        ("*.placed", "order.placed", true),
        ("*.placed", "order.placed.placed", true),
        ("*", "", true),
        ("", "", true),
        ("", "order", false),
        ("o*d*r.*", "order.placed", true),
        ("o*d*x.*", "order.placed", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*a", "aba", true),
        ("ä*ü", "äöü", true),
    ] {
        assert_eq!(glob::matches(pattern, text), matches, "{pattern} {text}");
    }
}

#[test]
fn each_kind() {
    let head = envelope();
    for (filter, passes) in [
        (Filter::event_type("order.*"), true),
        (Filter::event_type("payment.*"), false),
        (Filter::source("web-*"), true),
        (Filter::source("web"), false),
        (Filter::metadata("region", "eu-west-1"), true),
        (Filter::metadata("attempt", "3"), true),
        (Filter::metadata("attempt", "4"), false),
        (Filter::metadata("missing", ""), false),
        (Filter::metadata("correlation_id", "ticket 7"), true),
        (Filter::metadata("causation_id", "ticket 7"), false),
        (Filter::metadata("key", "order 7"), true),
        (Filter::metadata("key", "order"), false),
        (Filter::region("eu-west-1"), true),
        (Filter::region("eu"), false),
        (Filter::tag("canary"), true),
        (Filter::tag("priority"), true),
        (Filter::tag("canary, priority"), false),
        (Filter::tag("can"), false),
        (Filter::envelope(|head| head.source.len() == 5), true),
        (
            (|head: &EnvelopeHeader| head.source.is_empty()).into(),
            false,
        ),
    ] {
        assert_eq!(filter.passes(&head), passes, "{filter:?}");
        assert_eq!((!filter.clone()).passes(&head), !passes, "not {filter:?}");
        let (yes, no) = (Filter::all([]), Filter::any([]));
        let all = Filter::all([yes.clone(), filter.clone()]);
        assert_eq!(all.passes(&head), passes, "{all:?}");
        assert!(Filter::any([filter.clone(), yes]).passes(&head));
        assert!(!Filter::all([filter, no]).passes(&head));
    }
}

#[test]
fn tags_of_other_clients_are_arrays() {
    let mut head = envelope();
    head.metadata
        .insert_json("tags", &["canary", "a,b"])
        .unwrap();
    assert!(Filter::tag("canary").passes(&head));
    assert!(Filter::tag("a,b").passes(&head));
    assert!(!Filter::tag("a").passes(&head));
    head.metadata.insert_json("tags", &[1, 2]).unwrap();
    assert!(!Filter::tag("1").passes(&head));
}

#[test]
fn debug_shows_the_structure_without_values_of_metadata() {
    let filter = Filter::all([
        Filter::event_type("order.*"),
        !Filter::metadata("customer", "Ada"),
    ]);
    let text = format!("{filter:?}");
    assert_eq!(
        text,
        r#"all([event_type("order.*"), not(metadata("customer"))])"#
    );
}

//! Subjects, patterns, prefixes, tokens, keys, event types and versions.

use event_sdk::subject::grammar;
use event_sdk::transport::MessageId;
use event_sdk::{Pattern, Subject, Version};

/// The first line and the second are held against each other.
pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    for text in [one, other] {
        alone(text);
    }
    together(one, other);
    together(other, one);
}

fn alone(text: &str) {
    for fault in [
        grammar::check_token(text),
        grammar::check_relative(text),
        grammar::check_prefix(text),
        grammar::check_event_type(text),
    ] {
        if let Err(fault) = fault {
            assert!(fault.at <= text.len());
            assert!(!fault.to_string().is_empty());
        }
    }
    let subject = Subject::parse(text.to_owned());
    assert_eq!(subject.is_ok(), grammar::check_subject(text).is_ok());
    if let Ok(subject) = &subject {
        assert_eq!(subject.as_str(), text);
        assert!(grammar::matches(text, text), "{text:?}");
        let _ = subject.relative_to("events");
    }
    let pattern = Pattern::parse(text.to_owned());
    assert_eq!(pattern.is_ok(), grammar::check_pattern(text).is_ok());
    assert!(pattern.is_ok() || subject.is_err(), "{text:?}");
    if let Ok(token) = grammar::escape_key(&text) {
        assert_eq!(grammar::unescape_key(&token).as_deref(), Ok(text));
        let subject = format!("orders.order.placed.{token}");
        assert!(grammar::check_subject(&subject).is_ok(), "{subject:?}");
        assert!(!token.contains('.'), "{token:?}");
    }
    if let Ok(key) = grammar::unescape_key(text) {
        assert_eq!(grammar::escape_key(&key).as_deref(), Ok(text));
    }
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    let _ = MessageId::Text(text.to_owned().into()).check();
}

fn together(one: &str, other: &str) {
    let (Ok(first), Ok(second)) = (
        Pattern::parse(one.to_owned()),
        Pattern::parse(other.to_owned()),
    ) else {
        return;
    };
    let covers = grammar::covers(one, other);
    let overlaps = grammar::overlaps(one, other);
    assert!(overlaps || !covers, "{one:?} {other:?}");
    assert_eq!(overlaps, grammar::overlaps(other, one), "{one:?} {other:?}");
    let meet = first.meet(&second);
    assert_eq!(meet.is_some(), overlaps, "{one:?} {other:?}");
    if let Some(meet) = &meet {
        let meet: &str = meet.as_ref();
        assert!(
            grammar::covers(one, meet) && grammar::covers(other, meet),
            "{meet:?}"
        );
    }
    if Subject::parse(other.to_owned()).is_ok() {
        assert_eq!(grammar::matches(one, other), covers, "{one:?} {other:?}");
    }
    let _ = first.under(other);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "events.orders.order.placed\nevents.orders.>",
        "events.*.order.*\nevents.orders.*.placed",
        "orders.>\n*.order.placed",
        "a.b.c.d.e.f\n>",
        "B6-725\na=2Eb=20c",
        "1.0\n65535.65535",
        "legacy.Tx.\u{e9}\u{1f600}\n*.*.*",
        "",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

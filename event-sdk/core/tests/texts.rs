//! Conversions of owned, borrowed and static texts to subjects, patterns and names.

use event_sdk_core::text::Text;
use event_sdk_core::{Pattern, Subject};

#[test]
fn subjects_and_patterns_are_parsed() {
    let subject: Subject = "orders.order.placed".parse().unwrap();
    assert_eq!(subject, Subject::parse("orders.order.placed").unwrap());
    let pattern: Pattern = "orders.*.>".parse().unwrap();
    assert!(pattern.matches(&"orders.order.placed".parse().unwrap()));
    assert!("orders.*".parse::<Subject>().is_err());
    let error = "orders.a b".parse::<Pattern>().unwrap_err();
    assert_eq!(error.text(), "orders.a b");
    assert_eq!(error.fault().at, 8);
}

#[test]
fn any_text_is_taken() {
    fn text(text: impl Into<Text>) -> Text {
        text.into()
    }
    let name = String::from("worker-7");
    let shared: std::sync::Arc<str> = "worker-7".into();
    let constant = Text::from_static("worker-7");
    for taken in [
        text("worker-7"),
        text(&name),
        text(&*name),
        text(name.clone()),
        text(shared),
        text(std::borrow::Cow::Borrowed("worker-7")),
        text(std::borrow::Cow::<'static, str>::Owned(name.clone())),
        text(&constant),
    ] {
        assert_eq!(taken, "worker-7");
    }
    // A subject too can be made of what is borrowed.
    assert!(Subject::parse(&name).is_ok() && Pattern::parse(&*name).is_ok());
}

#[test]
fn an_error_that_quotes_a_text_is_short_and_has_no_control_characters() {
    let long = format!("orders.\u{1b}[31m{}", "x".repeat(1_000_000));
    let error = Subject::parse(long).unwrap_err().to_string();
    assert!(error.len() < 1_000 && !error.contains('\u{1b}'), "{error}");
    let error = Subject::parse("orders.\u{202e}a").unwrap_err().to_string();
    assert!(
        error.contains("\\u{202e}") && !error.contains('\u{202e}'),
        "{error}"
    );
}

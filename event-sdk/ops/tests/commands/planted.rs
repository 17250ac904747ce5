//! Secrets and personal data that the tests plant. No command writes them, whatever it does in whichever
//! test of this program, and nothing logs them.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::shop::CUSTOMER;

/// Passwords of the servers and configurations of the tests.
const SECRETS: [&str; 3] = ["sesame", "a-planted-password", "another-password"];

/// What events, keys, headers and reasons have of persons.
const PERSONAL: [&str; 3] = [CUSTOMER, "ann@example.org", "Grace"];

/// What was logged although it has something planted.
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Begins to search all that is logged.
pub(crate) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| tracing::subscriber::set_global_default(Searched).unwrap());
}

/// Fails if a command has written something planted, or something was logged that has it.
pub(crate) fn search(args: &[String], out: &str, err: &str) {
    let is_asked_for = args.iter().any(|arg| arg == "--show-personal-data");
    for (name, text) in [("output", out), ("error", err)] {
        let found = planted(text, is_asked_for);
        assert_eq!(found, None, "{args:?} has it in its {name}: {text}");
    }
    let leaks = lock();
    assert!(leaks.is_empty(), "it was logged: {leaks:?}");
}

fn planted(text: &str, without_personal: bool) -> Option<&'static str> {
    let personal = PERSONAL.into_iter().filter(|_| !without_personal);
    let mut all = SECRETS.into_iter().chain(personal);
    all.find(|planted| text.contains(planted))
}

struct Searched;

impl Searched {
    fn search(metadata: &Metadata<'_>, record: impl FnOnce(&mut Writer<'_>)) {
        let of_client = metadata.target().starts_with("async_nats");
        if of_client && *metadata.level() == Level::TRACE {
            // It logs all that it receives: the page on production says so.
            return;
        }
        let mut text = format!("{} {} ", metadata.level(), metadata.target());
        record(&mut Writer(&mut text));
        let is_ours = metadata.target().starts_with("event_sdk");
        if planted(&text, !is_ours).is_some() {
            lock().push(text);
        }
    }
}

impl Subscriber for Searched {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Self::search(span.metadata(), |writer| span.record(writer));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = String::new();
        values.record(&mut Writer(&mut text));
        if planted(&text, false).is_some() {
            lock().push(text);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::search(event.metadata(), |writer| event.record(writer));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<String>> {
    LEAKS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn what_is_planted_is_found() {
    assert_eq!(planted("token sesame", true), Some("sesame"));
    assert_eq!(planted("for Ada Lovelace", false), Some(CUSTOMER));
    assert_eq!(planted("for Ada Lovelace", true), None);
    assert_eq!(planted("nothing", false), None);
}

//! Secrets and personal data that the tests plant. No command writes them, whatever it does in whichever
//! test of this program, and nothing logs them.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::dlq::rig;
use crate::program::{on_terminal, piped};
use crate::shop::{CUSTOMER, KEY, busy, operations};

/// Passwords of the servers and configurations of the tests.
const SECRETS: [&str; 3] = ["sesame", "a-planted-password", "another-password"];

/// What events, keys, headers and reasons have of persons.
const PERSONAL: [&str; 4] = [CUSTOMER, KEY, "ann@example.org", "Grace"];

/// What was logged although it has something planted.
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Begins to search all that is logged.
pub(crate) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| tracing::subscriber::set_global_default(Searched { spans: false }).unwrap());
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

/// The spans that were searched.
static SPANS: AtomicU64 = AtomicU64::new(0);

/// Searches what is logged.
struct Searched {
    /// Whether spans are searched too. With them, each publish gets a header, on which the sizes on the
    /// screens would depend: one test alone does it.
    spans: bool,
}

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
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() || self.spans
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Self::search(span.metadata(), |writer| span.record(writer));
        Id::from_u64(SPANS.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = "event_sdk span ".to_owned();
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

#[tokio::test]
async fn no_command_and_no_span_has_a_personal_key() {
    let _spans = tracing::subscriber::set_default(Searched { spans: true });
    let bus = busy().await;
    let shop = operations(bus.clone());
    // An event that the program knows, with a key of another program.
    let placed = format!(
        r#"{{"event_id":"0197a2b0-7c1e-7000-8000-0000000000aa","event_type":"order.placed","timestamp":"2026-05-01T08:00:00Z","data":{{"order":"o-9","cents":1,"customer":"c"}},"metadata":{{"key":"{KEY}"}}}}"#
    );
    bus.raw()
        .publish("orders.order.placed", placed)
        .await
        .unwrap();
    let other = operations(busy().await);
    let letters = rig::Shop::memory();
    letters.put_five().await;
    let publish = format!(r#"publish order.placed '{{"order":"{KEY}","cents":1,"customer":"c"}}'"#);
    for (shop, command) in [
        (&other, &*publish),
        (&shop, "tail --last 9 --no-follow"),
        (&shop, &format!("tail --last 9 --no-follow --key {KEY}")),
        (&shop, "replay"),
        (
            &shop,
            "replay --stream ORDERS --from 2026-05-01T08:00:00Z --consumer billing --yes",
        ),
        (&shop, "trace 0197a2b0-7c1e-7000-8000-00000000000f"),
        (&shop, "trace 0197a2b0-7c1e-7000-8000-00000000000f --data"),
        (&shop, "streams purge ORDERS --keep 1 --yes"),
        (&letters.operations, "dlq ls"),
        (&letters.operations, "dlq show 1"),
        (&letters.operations, "dlq redrive 1"),
        (&letters.operations, "dlq archive 2"),
        (&letters.operations, "dlq purge 3 --yes"),
    ] {
        for args in [command.to_owned(), format!("{command} --json")] {
            piped(shop, &args).await;
            on_terminal(shop, &args).await;
        }
    }
    assert!(SPANS.load(Ordering::Relaxed) > 0, "no span was searched");
    // The key is there.
    let shop = operations(busy().await);
    for command in ["tail --last 9 --no-follow", "replay"] {
        let shown = piped(&shop, &format!("{command} --show-personal-data")).await;
        assert!(shown.out.contains(&format!("key={KEY}")), "{}", shown.out);
    }
    assert_eq!(
        planted("a span record: key=ada@example.org", false),
        Some(KEY)
    );
}

//! Captures all log output of the program, to find leaked secrets and personal data.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::eventually;

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// What was logged at once.
struct Line {
    /// Whether it is from async-nats, at TRACE.
    of_client: bool,
    text: String,
}

/// Begins to keep what is logged, if that was not begun already.
pub(crate) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tracing::subscriber::set_global_default(Captured).unwrap();
        log::set_logger(&Captured).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Whether this was logged.
pub(crate) fn has(text: &str) -> bool {
    lock().iter().any(|line| line.text.contains(text))
}

/// All that was logged.
pub(crate) fn all() -> String {
    joined(|_| true)
}

/// What was logged by our crates at every level, and by others at DEBUG and above.
pub(crate) fn without_trace_of_client() -> String {
    joined(|line| !line.of_client)
}

fn joined(which: impl Fn(&Line) -> bool) -> String {
    let lines = lock();
    let texts = lines.iter().filter(|line| which(line));
    texts.flat_map(|line| [&*line.text, "\n"]).collect()
}

/// Waits until this is logged.
pub(crate) async fn until(text: &str) {
    until_line(&[text]).await;
}

/// Waits until all of this is logged in one line. Each line is searched once, since there are many
/// lines, and many cases wait at the same time.
pub(crate) async fn until_line(texts: &[&str]) {
    let mut searched = 0;
    eventually(&texts.join(" and "), async || {
        let lines = lock();
        let added = lines.get(searched..).unwrap_or_default();
        let found = (added.iter()).any(|line| texts.iter().all(|text| line.text.contains(text)));
        searched = lines.len();
        found.then_some(())
    })
    .await;
}

struct Captured;

impl Captured {
    fn keep(metadata: &Metadata<'_>, record: impl FnOnce(&mut Writer<'_>)) {
        let mut text = format!("{} {} ", metadata.level(), metadata.target());
        record(&mut Writer(&mut text));
        let of_client =
            metadata.target().starts_with("async_nats") && *metadata.level() == Level::TRACE;
        lock().push(Line { of_client, text });
    }
}

impl Subscriber for Captured {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Self::keep(span.metadata(), |writer| span.record(writer));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = String::new();
        values.record(&mut Writer(&mut text));
        let of_client = false;
        lock().push(Line { of_client, text });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::keep(event.metadata(), |writer| event.record(writer));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Captured {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = format!("{} {} {}", record.level(), record.target(), record.args());
        let of_client = false;
        lock().push(Line { of_client, text });
    }

    fn flush(&self) {}
}

struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, "{field}={value} ");
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Line>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

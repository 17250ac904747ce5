//! Keeps what the thread of a case logs.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::lock;

#[derive(Debug, Clone, Default)]
pub(super) struct Logs(Arc<Mutex<Vec<String>>>);

impl Logs {
    pub(super) fn subscriber(&self) -> impl Subscriber + use<> {
        Keeper(self.clone())
    }

    /// Waits until this subject is denied.
    pub(super) async fn until_denied(&self, subject: &str) {
        while !self.has_denial_of(subject) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether a line says that this subject is denied.
    pub(super) fn has_denial_of(&self, subject: &str) -> bool {
        let is_it = |line: &String| line.contains("denies a permission") && line.contains(subject);
        lock(&self.0).iter().any(is_it)
    }
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.0)
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

struct Keeper(Logs);

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("event_sdk") && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        lock(&self.0.0).push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

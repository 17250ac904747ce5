//! `Recorder`: a `tracing` subscriber that keeps the spans of one test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Event, Metadata, Subscriber};

/// Records the spans of this thread whose target begins with a text.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    spans: Arc<Mutex<Vec<Span>>>,
    target: &'static str,
}

/// What is known of a span.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
    copies: usize,
    /// Whether it was taken by the test.
    taken: bool,
    pub(crate) open: bool,
    pub(crate) entered: bool,
    pub(crate) entries: usize,
}

impl Span {
    /// The value of a field, as text.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Recorder {
    /// Records the spans of event-sdk on this thread, as long as the guard lives.
    pub(crate) fn install() -> (Self, DefaultGuard) {
        Self::install_for("event_sdk")
    }

    /// Records the spans of another target.
    pub(crate) fn install_for(target: &'static str) -> (Self, DefaultGuard) {
        let recorder = Self {
            spans: Arc::default(),
            target,
        };
        let guard = tracing::subscriber::set_default(recorder.clone());
        (recorder, guard)
    }

    /// How many spans were recorded.
    pub(crate) fn all(&self) -> usize {
        self.lock().len()
    }

    /// The spans of this name that were not taken.
    pub(crate) fn named(&self, name: &str) -> Vec<Span> {
        let spans = self.lock();
        let named = spans.iter().filter(|span| span.name == name && !span.taken);
        named.cloned().collect()
    }

    /// The only span of this name that was not taken.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> Span {
        let [span] = <[Span; 1]>::try_from(self.named(name)).unwrap();
        span
    }

    /// The same, which is taken.
    #[track_caller]
    pub(crate) fn take_one(&self, name: &str) -> Span {
        let span = self.one(name);
        for span in &mut *self.lock() {
            span.taken |= span.name == name;
        }
        span
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, id: &Id, change: impl FnOnce(&mut Span) -> T) -> T {
        let index = usize::try_from(id.into_u64()).unwrap() - 1;
        change(&mut self.lock()[index])
    }
}

impl Subscriber for Recorder {
    /// Asks each time: an interest that is remembered also holds for threads without a recorder.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with(self.target)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut spans = self.lock();
        spans.push(Span {
            name: attributes.metadata().name(),
            fields: fields.0,
            copies: 1,
            taken: false,
            open: true,
            entered: false,
            entries: 0,
        });
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.change(id, |span| span.fields.extend(fields.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.change(id, |span| {
            assert!(span.open);
            span.entered = true;
            span.entries += 1;
        });
    }

    fn exit(&self, id: &Id) {
        self.change(id, |span| span.entered = false);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.change(id, |span| span.copies += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.change(&id, |span| {
            span.copies -= 1;
            span.open = span.copies > 0;
            !span.open
        })
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

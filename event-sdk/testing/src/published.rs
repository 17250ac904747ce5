//! `PublishedEvents`: a selection of the recorded events of one type, to be narrowed and asserted.

mod diff;
mod eventually;
mod recorded;

pub use eventually::Eventually;
pub use recorded::RecordedEvent;

use std::fmt::{self, Write as _};
use std::panic::Location;

use event_sdk::{AsCause, Event, LooseId};

use crate::failure::{fail, listing};
use crate::recording::Recording;

type Condition<E> = Box<dyn Fn(&RecordedEvent<E>) -> bool>;

/// A selection of the recorded events of the type `E`, in the order in which they were stored. Some
/// methods narrow the selection; the last call asserts which events it has.
///
/// Events that an assertion has selected are accounted for:
/// [`TestBus::nothing_else`](crate::TestBus::nothing_else) does not count them. A failure says what
/// was expected. It shows the events of this type with [`Debug`](fmt::Debug), so types that redact
/// personal data redact it here too. It lists all other events by subject and id.
///
/// ```
/// # use event_sdk::Event;
/// # use event_sdk_testing::TestBus;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { #[event(key)] order: u64 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let bus = TestBus::new();
/// for order in [1, 2, 2] {
///     bus.publisher().publish(OrderPlaced { order }).await.unwrap();
/// }
/// bus.published::<OrderPlaced>().matching(|event| event.order == 2).exactly(2);
/// bus.published::<OrderPlaced>().with_key(3).none();
/// bus.published::<OrderPlaced>().in_order([1, 2, 2].map(|order| OrderPlaced { order }));
/// # }
/// ```
#[must_use = "nothing is asserted until `one`, `exactly`, `none` or another one is called"]
pub struct PublishedEvents<'b, E> {
    recording: &'b Recording,
    conditions: Vec<(String, Condition<E>)>,
}

impl<'b, E: Event + fmt::Debug> PublishedEvents<'b, E> {
    pub(crate) fn of(recording: &'b Recording) -> Self {
        Self {
            recording,
            conditions: Vec::new(),
        }
    }

    /// Keeps the events for which `condition` is true.
    #[track_caller]
    pub fn matching(self, condition: impl Fn(&E) -> bool + 'static) -> Self {
        let place = Location::caller();
        let text = format!(
            "matching the condition at {}:{}",
            place.file(),
            place.line()
        );
        self.narrowed(text, move |event| condition(event))
    }

    /// Keeps the events with this key.
    pub fn with_key(self, key: impl fmt::Display) -> Self {
        let key = key.to_string();
        let text = format!("with the key {key}");
        self.narrowed(text, move |event| {
            event.key().is_some_and(|own| own.to_string() == key)
        })
    }

    /// Keeps the events whose causation id is the id of `cause`: a delivery, a recorded event, or
    /// another envelope.
    ///
    /// # Panics
    ///
    /// If the cause has no envelope, so that it cannot have caused an event.
    #[track_caller]
    pub fn caused_by(self, cause: &impl AsCause) -> Self {
        let Some(cause) = cause.as_cause() else {
            fail("the cause is no envelope, and can have caused nothing");
        };
        let text = format!("caused by {}", cause.event_id);
        self.narrowed(text, move |event| {
            event.head().metadata.causation_id.as_ref() == Some(&cause.event_id)
        })
    }

    /// Keeps the events with this correlation id.
    pub fn with_correlation(self, id: impl Into<LooseId>) -> Self {
        let id = id.into();
        let text = format!("with the correlation id {id}");
        self.narrowed(text, move |event| {
            event.head().metadata.correlation_id.as_ref() == Some(&id)
        })
    }

    /// Keeps the events from this source.
    pub fn from_source(self, source: impl Into<String>) -> Self {
        let source = source.into();
        let text = format!("from the source {source}");
        self.narrowed(text, move |event| *event.head().source == *source)
    }

    /// Waits, in virtual time, until the assertion that follows holds. It waits at most a minute,
    /// or the time that [`within`](Eventually::within) sets.
    pub fn eventually(self) -> Eventually<'b, E> {
        Eventually::new(self)
    }

    /// Asserts that the selection has exactly one event, and returns it.
    ///
    /// # Panics
    ///
    /// If the selection has no event, or several.
    #[track_caller]
    pub fn one(self) -> RecordedEvent<E> {
        let events = self.exactly(1);
        match events.into_iter().next() {
            Some(event) => event,
            None => fail("of exactly one event, none was found"),
        }
    }

    /// Asserts that the selection has exactly `n` events, and returns them.
    ///
    /// # Panics
    ///
    /// If the selection has fewer or more events.
    #[track_caller]
    pub fn exactly(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.asserted(&format!("exactly {n}"), |found| found == n)
    }

    /// Asserts that the selection has `n` or more events, and returns all of them.
    ///
    /// # Panics
    ///
    /// If the selection has fewer events.
    #[track_caller]
    pub fn at_least(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.asserted(&format!("at least {n}"), |found| found >= n)
    }

    /// Asserts that the selection has no event.
    ///
    /// # Panics
    ///
    /// If the selection has an event.
    #[track_caller]
    pub fn none(self) {
        self.asserted("no", |found| found == 0);
    }

    /// Asserts that the selected events are equal to `expected`, in the order in which they were
    /// stored, and returns them. A failure shows the fields that differ line by line.
    ///
    /// # Panics
    ///
    /// If an event differs or is missing, or if there are more events.
    #[track_caller]
    pub fn in_order(self, expected: impl IntoIterator<Item = E>) -> Vec<RecordedEvent<E>>
    where
        E: PartialEq,
    {
        let expected: Vec<E> = expected.into_iter().collect();
        let found = self.asserted("", |_| true);
        let equal = |(one, other): (&E, &RecordedEvent<E>)| *one == **other;
        if expected.len() == found.len() && expected.iter().zip(&found).all(equal) {
            return found;
        }
        let mut text = format!(
            "expected {}, found others in their places:",
            self.described("these")
        );
        let places = expected.len().max(found.len());
        for place in 0..places {
            let _ = write!(text, "\n  {}. ", place + 1);
            match (expected.get(place), found.get(place)) {
                (Some(one), Some(other)) if *one == **other => {
                    let _ = write!(text, "{other:#}: as expected");
                }
                (Some(one), Some(other)) => {
                    let _ = write!(text, "{other:#}:\n{}", diff::of(one, &**other));
                }
                (Some(one), None) => {
                    let _ = write!(text, "missing:\n{}", diff::indented(one));
                }
                (None, Some(other)) => {
                    let _ = write!(text, "not expected: {other}");
                }
                (None, None) => {}
            }
        }
        self.fail_with(text)
    }

    /// Asserts that a value of each event, such as a version or a time, never decreases in the
    /// order in which the events were stored. `value` reads it from the event. Returns the events.
    ///
    /// # Panics
    ///
    /// If an event has a smaller value than the one before it.
    #[track_caller]
    pub fn in_order_of<K: PartialOrd + fmt::Debug>(
        self,
        value: impl Fn(&E) -> K,
    ) -> Vec<RecordedEvent<E>> {
        let found = self.asserted("", |_| true);
        let values: Vec<K> = found.iter().map(|event| value(event)).collect();
        let fault = values.windows(2).position(|two| two[1] < two[0]);
        let Some(at) = fault else {
            return found;
        };
        let text = format!(
            "expected {} in order, found {:?} before {:?}:\n  {}\n  {}",
            self.described("all"),
            values[at],
            values[at + 1],
            found[at],
            found[at + 1],
        );
        self.fail_with(text)
    }

    /// Returns the events selected so far, without an assertion. They are not accounted for.
    #[must_use]
    pub fn so_far(&self) -> Vec<RecordedEvent<E>> {
        self.recording.check_read_back();
        let events = self.all().into_iter();
        events.filter(|event| self.keeps(event)).collect()
    }

    pub(crate) fn narrowed(
        mut self,
        text: String,
        condition: impl Fn(&RecordedEvent<E>) -> bool + 'static,
    ) -> Self {
        self.conditions.push((text, Box::new(condition)));
        self
    }

    fn keeps(&self, event: &RecordedEvent<E>) -> bool {
        self.conditions.iter().all(|(_, keeps)| keeps(event))
    }

    /// All recorded events of this type.
    #[track_caller]
    fn all(&self) -> Vec<RecordedEvent<E>> {
        let prefix = &self.recording.prefix;
        let records = self.recording.log.records().into_iter();
        let own = records.filter(|record| record.is(&E::SPEC, prefix));
        own.map(|record| RecordedEvent::read(record, prefix))
            .collect()
    }

    #[track_caller]
    fn asserted(&self, expected: &str, holds: impl Fn(usize) -> bool) -> Vec<RecordedEvent<E>> {
        let found = self.so_far();
        if !holds(found.len()) {
            let found = found.len();
            self.fail_with(format!(
                "expected {}, found {found}",
                self.described(expected)
            ));
        }
        for event in &found {
            event.account();
        }
        found
    }

    /// `exactly 1 OrderPlaced (orders.order.placed) with the key 7`.
    fn described(&self, number: &str) -> String {
        let mut text = format!("{number} {} ({})", E::SPEC.name(), E::SPEC.subject());
        for (condition, _) in &self.conditions {
            text.push(' ');
            text.push_str(condition);
        }
        text
    }

    /// Fails the test with this text, the events of this type and a list of the others.
    #[track_caller]
    fn fail_with(&self, mut text: String) -> ! {
        let all = self.all();
        if !all.is_empty() {
            let _ = write!(text, "\n\n{} recorded:", E::SPEC.name());
            for event in &all {
                let left_out = match (self.conditions.is_empty(), self.keeps(event)) {
                    (true, _) => "",
                    (false, true) => "selected: ",
                    (false, false) => "left out: ",
                };
                let _ = write!(text, "\n  {left_out}{event}");
            }
        }
        let prefix = &self.recording.prefix;
        let records = self.recording.log.records();
        let others: Vec<_> = records
            .iter()
            .filter(|record| !record.is(&E::SPEC, prefix))
            .collect();
        if others.is_empty() && all.is_empty() {
            text.push_str("\n\nnothing was published");
        } else if !others.is_empty() {
            let _ = write!(
                text,
                "\n\nothers recorded:\n{}",
                listing(others.iter().map(|record| &***record))
            );
        }
        text.push_str(&self.recording.fault_report());
        fail(&text)
    }
}

impl<E> fmt::Debug for PublishedEvents<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions = self.conditions.iter().map(|(text, _)| text);
        f.debug_list().entries(conditions).finish()
    }
}

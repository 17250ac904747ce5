//! `Consumer`: the events that a service takes, under the name of a durable.

use std::time::Duration;

use event_sdk::{EventSet, Visit};

use super::SetSpec;
use super::collect::{Collect, Definition};

/// The description of a consumer of a service: its set, its name and its settings.
#[derive(Debug, Clone)]
pub struct Consumer {
    set: SetSpec,
    durable: Option<String>,
    description: String,
    stream: Option<String>,
    max_deliver: Option<u32>,
    ack_wait: Option<Duration>,
    backoff: Vec<Duration>,
    dead_letter: Option<String>,
    definitions: Vec<Definition>,
}

impl Consumer {
    /// Describes a durable consumer of the set `S`.
    pub fn of<S: EventSet + Visit<Collect>>(durable: impl Into<String>) -> Self {
        Self {
            durable: Some(durable.into()),
            ..Self::ephemeral::<S>()
        }
    }

    /// Describes a consumer of the set `S` that exists as long as its subscription.
    pub fn ephemeral<S: EventSet + Visit<Collect>>() -> Self {
        let mut collect = Collect::default();
        S::visit_all(&mut collect);
        Self {
            set: SetSpec::of::<S>(),
            durable: None,
            description: String::new(),
            stream: None,
            max_deliver: None,
            ack_wait: None,
            backoff: Vec::new(),
            dead_letter: None,
            definitions: collect.into_definitions(),
        }
    }

    /// Sets the description of what the consumer uses the events for, in Markdown.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the name of the stream that stores its events. Needed only if the catalogue does not
    /// have this stream.
    pub fn stream(mut self, stream: impl Into<String>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// Sets the maximum number of deliveries of an event (`max_deliver`).
    pub fn max_deliver(mut self, times: u32) -> Self {
        self.max_deliver = Some(times);
        self
    }

    /// Sets how long the server waits for an acknowledgement.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.ack_wait = Some(wait);
        self
    }

    /// Sets the delays after which a failed event is delivered again.
    pub fn backoff(mut self, steps: impl IntoIterator<Item = Duration>) -> Self {
        self.backoff = steps.into_iter().collect();
        self
    }

    /// Sets where the dead letters of this consumer are kept: a stream, or a subject.
    pub fn dead_letter(mut self, place: impl Into<String>) -> Self {
        self.dead_letter = Some(place.into());
        self
    }

    /// The set to which the consumer subscribes.
    pub fn set(&self) -> &SetSpec {
        &self.set
    }

    /// The name of the consumer on the server; `None` if the consumer exists only as long as its
    /// subscription.
    pub fn durable(&self) -> Option<&str> {
        self.durable.as_deref()
    }

    /// What the consumer uses the events for, in Markdown; empty if [`describe`](Self::describe)
    /// was not called.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The stream that [`stream`](Self::stream) has set.
    pub fn stream_name(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// The maximum number of deliveries of an event; `None` if [`max_deliver`](Self::max_deliver)
    /// was not called.
    pub fn max_deliver_times(&self) -> Option<u32> {
        self.max_deliver
    }

    /// How long the server waits for an acknowledgement; `None` if [`ack_wait`](Self::ack_wait) was
    /// not called.
    pub fn ack_wait_time(&self) -> Option<Duration> {
        self.ack_wait
    }

    /// The delays after which a failed event is delivered again.
    pub fn backoff_steps(&self) -> &[Duration] {
        &self.backoff
    }

    /// Where dead letters are kept; `None` if [`dead_letter`](Self::dead_letter) was not called.
    pub fn dead_letter_place(&self) -> Option<&str> {
        self.dead_letter.as_deref()
    }

    pub(super) fn take_definitions(&mut self) -> Vec<Definition> {
        std::mem::take(&mut self.definitions)
    }
}

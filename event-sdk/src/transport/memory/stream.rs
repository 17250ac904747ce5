//! One stream of the memory transport: what can be done with it, under its lock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::after::After;
use super::check;
use super::state::State;
use crate::codec::Codec;
use crate::stream::StreamConfig;
use crate::subject::{Pattern, Subject};
use crate::text::Text;
use crate::time::Clock;
use crate::transport::{Error, ErrorKind, Operation, StreamState};

/// One stream.
pub(super) struct MemoryStream {
    config: StreamConfig,
    stored: Vec<Stored>,
    age: Option<SignedDuration>,
    clock: Arc<dyn Clock>,
    codec: Arc<dyn Codec>,
    /// Whether a value is stored as it is.
    takes_values: bool,
    state: Mutex<State>,
}

/// A pattern of the stream. Most are a few tokens and a `>`, for which it is
/// enough to compare the beginning.
enum Stored {
    Under(String),
    Pattern(Pattern),
}

impl Stored {
    fn new(pattern: &Pattern) -> Self {
        match pattern.as_str().strip_suffix('>') {
            Some(beginning) if !beginning.contains('*') => Self::Under(beginning.to_owned()),
            _ => Self::Pattern(pattern.clone()),
        }
    }

    fn matches(&self, subject: &Subject) -> bool {
        match self {
            // There is more after the dot, or it would be no subject.
            Self::Under(beginning) => subject.as_str().starts_with(beginning),
            Self::Pattern(pattern) => pattern.matches(subject),
        }
    }
}

impl MemoryStream {
    pub(super) fn new(
        config: StreamConfig,
        clock: Arc<dyn Clock>,
        codec: Arc<dyn Codec>,
        hand_over: bool,
    ) -> Result<Self, Error> {
        check::stream(&config)?;
        Ok(Self::checked(config, clock, codec, hand_over))
    }

    /// A stream whose configuration is known to be right.
    pub(super) fn checked(
        config: StreamConfig,
        clock: Arc<dyn Clock>,
        codec: Arc<dyn Codec>,
        hand_over: bool,
    ) -> Self {
        let limits = config.limits;
        Self {
            // A limit beyond all time is none.
            age: limits
                .age
                .and_then(|age| SignedDuration::try_from(age).ok()),
            takes_values: hand_over && limits.bytes.is_none() && limits.message_size.is_none(),
            stored: config.subjects.iter().map(Stored::new).collect(),
            state: Mutex::new(State::new(&config)),
            config,
            clock,
            codec,
        }
    }

    pub(super) fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// Whether messages of `subject` are stored here.
    pub(super) fn stores(&self, subject: &Subject) -> bool {
        self.stored.iter().any(|stored| stored.matches(subject))
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    /// Whether a value is stored as it is: not where bytes are counted.
    pub(super) fn takes_values(&self) -> bool {
        self.takes_values
    }

    /// What the stream is and holds.
    pub(super) fn state(&self) -> Result<StreamState, Error> {
        let now = self.age_now();
        self.locked(Operation::Read, |state, after| {
            self.drop_old(state, now, after);
            Ok(StreamState {
                config: self.config.clone(),
                messages: state.log.len(),
                bytes: state.log.bytes(),
                first_sequence: state.log.first_sequence(),
                last_sequence: state.log.last_sequence(),
                consumers: state.consumers.len(),
            })
        })
    }

    /// Removes the consumer of that name.
    pub(super) fn delete_consumer(&self, name: &str) -> Result<(), Error> {
        self.locked(Operation::Manage, |state, after| {
            let Some(key) = state.names.get(name).copied() else {
                return Err(self.no_consumer(Operation::Manage, Some(name)));
            };
            state.remove_consumer(key, after);
            Ok(())
        })
    }

    /// Refuses everything from now on, and drops what it holds.
    pub(super) fn close(&self) {
        let mut after = After::default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return;
        }
        let mut old = std::mem::replace(&mut *state, State::new(&self.config));
        state.closed = true;
        drop(state);
        for consumer in old.consumers.values_mut() {
            consumer.subscribers().wake_all(&mut after);
        }
    }

    /// Runs `f` under the lock unless the stream was closed, then what `f` left
    /// to be done after it.
    pub(super) fn locked<T>(
        &self,
        operation: Operation,
        f: impl FnOnce(&mut State, &mut After) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Declared before the guard, so dropped after it.
        let mut after = After::default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Error::closed(operation));
        }
        f(&mut state, &mut after)
    }

    /// The time by which ages are measured, if they are.
    pub(super) fn age_now(&self) -> Option<Timestamp> {
        self.age.map(|_| self.clock.now())
    }

    /// Drops what is too old at that time.
    pub(super) fn drop_old(&self, state: &mut State, now: Option<Timestamp>, after: &mut After) {
        if let (Some(age), Some(now)) = (self.age, now) {
            state.drop_older(age, now, after);
        }
    }

    pub(super) fn no_consumer(&self, operation: Operation, name: Option<&str>) -> Error {
        let error = Error::new(
            ErrorKind::ConsumerNotFound,
            operation,
            "there is no such consumer: it was deleted, ended with its last subscription, or never was",
        )
        .at_stream(self.config.name.clone());
        match name {
            Some(name) => error.at_consumer(Text::copy_of(name)),
            None => error,
        }
    }
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStream")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

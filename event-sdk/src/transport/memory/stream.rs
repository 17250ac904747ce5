//! One stream of the memory transport: what can be done with it, under its lock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::after::After;
use super::changeable::{Changeable, Current};
use super::check;
use super::settings::Settings;
use super::state::State;
use crate::codec::Codec;
use crate::stream::StreamConfig;
use crate::text::Text;
use crate::time::Clock;
use crate::transport::{Error, ErrorKind, Operation, StreamChange, StreamState};

/// One stream.
pub(super) struct MemoryStream {
    name: Text,
    settings: Changeable<Settings>,
    clock: Arc<dyn Clock>,
    codec: Arc<dyn Codec>,
    hand_over: bool,
    state: Mutex<State>,
}

impl MemoryStream {
    /// A stream whose configuration is known to be right.
    pub(super) fn new(
        config: StreamConfig,
        clock: Arc<dyn Clock>,
        codec: Arc<dyn Codec>,
        hand_over: bool,
    ) -> Self {
        Self {
            name: config.name.clone(),
            state: Mutex::new(State::new(&config)),
            settings: Changeable::new(Settings::new(config, hand_over)),
            clock,
            codec,
            hand_over,
        }
    }

    pub(super) fn name(&self) -> &Text {
        &self.name
    }

    /// What it is now. Under its lock it does not change.
    pub(super) fn settings(&self) -> Current<'_, Settings> {
        self.settings.get()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    /// What the stream is and holds.
    pub(super) fn state(&self) -> Result<StreamState, Error> {
        let now = self.age_now();
        self.locked(Operation::Read, |state, after| {
            self.drop_old(state, now, after);
            Ok(StreamState {
                config: self.settings().config.clone(),
                messages: state.log.len(),
                bytes: state.log.bytes(),
                first_sequence: state.log.first_sequence(),
                last_sequence: state.log.last_sequence(),
                consumers: state.consumers.len(),
            })
        })
    }

    /// Makes the stream what `config` says, which is known to be right; answers
    /// what that changed.
    pub(super) fn change(
        &self,
        config: &StreamConfig,
        after: &mut After,
    ) -> Result<StreamChange, Error> {
        let now = self.clock.now();
        self.locked_until(Operation::Manage, after, |state, after| {
            let existing = self.settings();
            check::change(&existing.config, config)?;
            let differences = existing.config.differences(config);
            if differences.is_empty() {
                return Ok(StreamChange::Unchanged);
            }
            let settings = Settings::new(config.clone(), self.hand_over);
            state.change(&existing, &settings, now, after);
            self.settings.set(settings);
            Ok(StreamChange::Updated { differences })
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
        let mut old = std::mem::replace(&mut *state, State::new(&self.settings().config));
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
        self.locked_until(operation, &mut after, f)
    }

    /// The same, where the caller says when what is left is done: not under a
    /// lock of its own.
    pub(super) fn locked_until<T>(
        &self,
        operation: Operation,
        after: &mut After,
        f: impl FnOnce(&mut State, &mut After) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(Error::closed(operation));
        }
        f(&mut state, after)
    }

    /// The time by which ages are measured, if they are.
    pub(super) fn age_now(&self) -> Option<Timestamp> {
        self.settings().age.map(|_| self.clock.now())
    }

    /// Drops what is too old at that time.
    pub(super) fn drop_old(&self, state: &mut State, now: Option<Timestamp>, after: &mut After) {
        if let (Some(age), Some(now)) = (self.settings().age, now) {
            state.drop_older(age, now, after);
        }
    }

    pub(super) fn no_consumer(&self, operation: Operation, name: Option<&str>) -> Error {
        let error = Error::new(
            ErrorKind::ConsumerNotFound,
            operation,
            "there is no such consumer: it was deleted, ended with its last subscription, or never was",
        )
        .at_stream(self.name.clone());
        match name {
            Some(name) => error.at_consumer(Text::copy_of(name)),
            None => error,
        }
    }
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStream")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

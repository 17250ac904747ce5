//! `MemoryStream`: one stream behind its lock, with its operations.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::ack_pending::{ConnectionId, Counts};
use super::changeable::{Changeable, Current};
use super::check;
use super::consumer::Consumer;
use super::deferred_actions::DeferredActions;
use super::log::Log;
use super::phase::Phase;
use super::reporter::{Desk, Reporter};
use super::settings::Settings;
use super::state::State;
use event_sdk_clock::{Clock, Reading};
use event_sdk_core::codec::Codec;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, StreamChange, StreamState};

/// One stream.
pub(super) struct MemoryStream {
    name: Text,
    settings: Changeable<Settings>,
    clock: Arc<dyn Clock>,
    codec: Arc<dyn Codec>,
    desk: Arc<Desk>,
    hand_over: bool,
    state: Mutex<State>,
}

/// How many messages that are too old are dropped under one lock.
const MAX_DROPPED: usize = 256;

impl MemoryStream {
    /// A stream whose configuration is known to be right.
    pub(super) fn new(
        config: StreamConfig,
        clock: Arc<dyn Clock>,
        codec: Arc<dyn Codec>,
        desk: Arc<Desk>,
        hand_over: bool,
    ) -> Self {
        Self {
            name: config.name.clone(),
            state: Mutex::new(State::new(&config)),
            settings: Changeable::new(Settings::new(config, hand_over)),
            clock,
            codec,
            desk,
            hand_over,
        }
    }

    /// It holds this from the beginning, as nobody knows of it yet.
    pub(super) fn begin_with(&self, state: State) {
        *self.lock() = state;
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

    /// What time of day it is.
    pub(super) fn now(&self, reading: Option<Reading<'_>>) -> Timestamp {
        let read = reading.and_then(|reading| reading.by(&self.clock));
        read.unwrap_or_else(|| self.clock.now())
    }

    /// What a consumer of this stream reports to.
    pub(super) fn reporter(&self, consumer: Option<&str>) -> Arc<Reporter> {
        self.desk.reporter(&self.name, consumer)
    }

    pub(super) fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    /// What the stream is and holds.
    pub(super) fn state(&self, through: &Phase) -> Result<StreamState, Error> {
        self.locked_fresh(through, Operation::Read, |state, _| {
            Ok(StreamState {
                config: self.settings().config.clone(),
                messages: state.log.len(),
                bytes: state.log.bytes(),
                first_sequence: state.log.first_sequence(),
                last_sequence: state.log.last_sequence(),
                consumers: state.consumers.len(),
                foreign: Vec::new(),
            })
        })
    }

    /// Makes the stream what `config` says, which is known to be right; answers
    /// what that changed.
    pub(super) fn change(
        &self,
        config: &StreamConfig,
        after: &mut DeferredActions,
    ) -> Result<StreamChange, Error> {
        let now = self.clock.monotonic();
        self.locked_until(Operation::Manage, after, |state, after| {
            let now = state.elapsed.is(now);
            let existing = self.settings();
            check::change(&existing.config, config)?;
            let config = &existing.config.keeping_undeclared_flags(config.clone());
            let differences = existing.config.differences(config);
            if differences.is_empty() {
                return Ok(StreamChange::Unchanged);
            }
            let settings = Settings::new(config.clone().as_state(), self.hand_over);
            state.change(&existing, &settings, now, after);
            self.settings.set(settings);
            Ok(StreamChange::Updated { differences })
        })
    }

    /// Removes the consumer of that name.
    pub(super) fn delete_consumer(&self, through: &Phase, name: &str) -> Result<(), Error> {
        self.locked(through, Operation::Manage, |state, after| {
            let Some(key) = state.names.get(name).copied() else {
                return Err(self.no_consumer(Operation::Manage, Some(name)));
            };
            state.remove_consumer(key, after);
            Ok(())
        })
    }

    /// Ends what a connection has begun, but for what is in its hands.
    pub(super) fn begin_drain(
        &self,
        of: ConnectionId,
        told: &Arc<Notify>,
        after: &mut DeferredActions,
    ) {
        let mut state = self.lock();
        state.drains.push((of, Arc::clone(told)));
        for consumer in state.consumers.values_mut() {
            consumer.begin_drain(of, after);
        }
        state.remove_over(after);
    }

    /// How many deliveries a connection has outstanding.
    pub(super) fn held_by(&self, connection: ConnectionId) -> usize {
        let mut state = self.lock();
        let consumers = state.consumers.values_mut();
        consumers.map(|consumer| consumer.held_by(connection)).sum()
    }

    /// Naks what a connection that was drained has still outstanding; what
    /// became of all that it had.
    pub(super) fn end_drain(&self, of: ConnectionId, after: &mut DeferredActions) -> Counts {
        self.forget(of, after, |consumer, log, after| {
            consumer.end_drain(of, log, after)
        })
    }

    /// Ends what a connection has begun; what became of what it had outstanding.
    pub(super) fn close_connection(&self, of: ConnectionId, after: &mut DeferredActions) -> Counts {
        self.forget(of, after, |consumer, _, after| {
            consumer.close_connection(of, after)
        })
    }

    fn forget(
        &self,
        connection: ConnectionId,
        after: &mut DeferredActions,
        mut forget: impl FnMut(&mut Consumer, &Log, &mut DeferredActions) -> Counts,
    ) -> Counts {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.drains.retain(|(drained, _)| *drained != connection);
        let mut sum = Counts::default();
        for consumer in state.consumers.values_mut() {
            let counts = forget(consumer, &state.log, after);
            sum.settled += counts.settled;
            sum.lapsed += counts.lapsed;
        }
        state.remove_over(after);
        sum
    }

    /// Refuses everything from now on, and drops what it holds.
    pub(super) fn close(&self, after: &mut DeferredActions) {
        let mut state = self.lock();
        let mut old = std::mem::replace(&mut *state, State::new(&self.settings().config));
        state.closed = true;
        drop(state);
        for consumer in old.consumers.values_mut() {
            consumer.subscribers().wake(after);
        }
        after.drop_holder(old);
    }

    /// Runs `f` under the lock if `through` may still do that, then what `f` left
    /// to be done after it. Scheduled messages that are due are stored before.
    pub(super) fn locked<T>(
        &self,
        through: &Phase,
        operation: Operation,
        f: impl FnOnce(&mut State, &mut DeferredActions) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            // Declared before the guard, so dropped after it.
            let mut after = DeferredActions::default();
            let mut state = self.lock();
            through.check(operation)?;
            if self.fire_due(&mut state, &mut after) {
                return f(&mut state, &mut after);
            }
            drop(state);
            drop(after);
            thread::yield_now();
        }
    }

    /// The same when the stream holds nothing that is to go.
    ///
    /// After a pause that may be much. It is dropped piece by piece, so that those
    /// who publish get the lock in between.
    pub(super) fn locked_fresh<T>(
        &self,
        through: &Phase,
        operation: Operation,
        f: impl FnOnce(&mut State, &mut DeferredActions) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = self.age_now();
        loop {
            let mut after = DeferredActions::default();
            let mut state = self.lock();
            through.check(operation)?;
            if self.fire_due(&mut state, &mut after) && self.drop_old(&mut state, now, &mut after) {
                return f(&mut state, &mut after);
            }
            drop(state);
            drop(after);
            thread::yield_now();
        }
    }

    /// The same for what is done in any case, unless everything was closed, and
    /// where the caller says when what is left is done: not under a lock of its own.
    pub(super) fn locked_until<T>(
        &self,
        operation: Operation,
        after: &mut DeferredActions,
        f: impl FnOnce(&mut State, &mut DeferredActions) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::closed(operation));
        }
        f(&mut state, after)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by which ages are measured, if they are.
    pub(super) fn age_now(&self) -> Option<Duration> {
        self.settings().age.map(|_| self.clock.monotonic())
    }

    /// Drops some of what is too old at that time, or was left by who is gone. Whether that
    /// was all of it.
    pub(super) fn drop_old(
        &self,
        state: &mut State,
        now: Option<Duration>,
        after: &mut DeferredActions,
    ) -> bool {
        let released = state.release_left(MAX_DROPPED, after);
        let (Some(age), Some(now)) = (self.settings().age, now) else {
            return released;
        };
        let now = state.elapsed.is(now);
        state.drop_older(age, now, MAX_DROPPED, after) && released
    }

    pub(super) fn no_consumer(&self, operation: Operation, name: Option<&str>) -> Error {
        let error = Error::new(
            ErrorKind::ConsumerNotFound,
            operation,
            "the consumer does not exist: it was deleted, ended with its last subscription, or was never created",
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

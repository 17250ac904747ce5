//! Which events start: one after the other up to the concurrency, or several as a batch.

use std::task::Context;
use std::time::Duration;

use super::Engine;
use super::entry::State;
use crate::consumer::Ctx;
use crate::consumer::batch::BatchHandler;
use crate::consumer::layer::AttemptService;
use crate::process_gate::Alone;

/// By what right an event starts.
pub(super) struct May {
    /// It runs alone in the process.
    pub(super) alone: Option<Alone>,
    /// The layers that are ready for it, with the places that they hold.
    pub(super) layers: Option<AttemptService>,
}

/// What an event has that waits for the layers and runs alone in the process.
pub(super) struct LayersAlone {
    pub(super) alone: Alone,
    /// Whether its record can be used.
    pub(super) recorded: bool,
}

impl May {
    /// Beside others, without layers.
    pub(super) fn beside() -> Self {
        Self {
            alone: None,
            layers: None,
        }
    }

    pub(super) fn alone(alone: Alone) -> Self {
        Self {
            alone: Some(alone),
            layers: None,
        }
    }
}

impl Engine {
    /// Whether another event can be started soon, or can wait for its key.
    pub(super) fn has_room(&self) -> bool {
        if self.circuit.pauses_fetching(self.held.len(), self.max_held) {
            return false;
        }
        if self.gate_is_closed() {
            // Everything that is unsettled has to come, whatever runs.
            return true;
        }
        let waiting = self.ready.len() + self.at_layers();
        let room = match self.handlers.batch() {
            // The next batch is collected while others run.
            Some(batch) => waiting < batch.max,
            None => waiting + self.running() < self.options.concurrency,
        };
        room && self.unsettled() < self.max_held
    }

    /// The handlers that run, and those whose start is being recorded.
    pub(super) fn running(&self) -> usize {
        self.attempts.running() + self.recorder.starting()
    }

    /// Starts handlers, as many as may run at once. What is asked here before a handler starts, `at_once`
    /// has to ask too.
    pub(super) fn start_ready(&mut self, cx: &mut Context<'_>) -> bool {
        let started = self.start_with_places(cx);
        let running = self.running();
        if let Some(places) = &mut self.places {
            places.give_back(running);
        }
        started
    }

    /// The same, but keeps places for handlers that could not start.
    fn start_with_places(&mut self, cx: &mut Context<'_>) -> bool {
        self.note_ready();
        let mut started = false;
        while self.running() < self.options.concurrency
            && self.has_ready()
            && self.may_start()
            && self.takes_place(cx)
        {
            if !self.runs_alone_next() && !self.may_run_beside(cx) {
                self.leave_layers();
                return started;
            }
            if self.at_layers() > 0 {
                if self.poll_layers(cx).is_pending() {
                    break;
                }
                started = true;
                continue;
            }
            if let Some(id) = self.next_probe() {
                started |= self.start(id);
                continue;
            }
            if self.ready.is_empty() {
                break;
            }
            started |= match self.handlers.batch().cloned() {
                None => self.start_next(),
                Some(batch) if self.may_start_batch(&batch) => self.start_batch(&batch),
                Some(_) => break,
            };
        }
        self.recorder.gate.has_started();
        started
    }

    /// Whether the instance has a place for another handler.
    fn takes_place(&mut self, cx: &mut Context<'_>) -> bool {
        let running = self.running();
        let takes = (self.places.as_mut()).is_none_or(|places| places.take(running, cx));
        if !takes {
            self.leave_layers();
        }
        takes
    }

    fn has_ready(&self) -> bool {
        !self.ready.is_empty() || self.circuit.has_probes() || self.at_layers() > 0
    }

    /// Starts the handler of the next event.
    fn start_next(&mut self) -> bool {
        match self.take_ready() {
            Some(id) if self.passes_breaker(id) => self.start(id),
            Some(_) => true,
            None => false,
        }
    }

    /// Starts an event without others, as soon as the layers are ready. One that was delivered before
    /// is recorded first.
    fn start(&mut self, id: usize) -> bool {
        let may = May::beside();
        if self.has_layers() {
            self.wait_for_layers(id, None)
        } else if self.is_recorded_first(id) {
            self.begin(id, may);
            true
        } else {
            self.launch(id, may)
        }
    }

    /// Starts the handler of an event.
    pub(super) fn launch(&mut self, id: usize, may: May) -> bool {
        if let Some(batch) = self.handlers.batch().cloned() {
            return self.run_batch(vec![id], &batch, may.alone);
        }
        let Some(entry) = self.held.get_mut(id) else {
            return false;
        };
        let Some(handler) = entry.chosen.and_then(|chosen| self.handlers.get(chosen)) else {
            return false;
        };
        entry.count_start();
        let (held, starts) = (&entry.held, entry.starts);
        let mut running = match may.layers {
            None => self.attempts.start(id, held, handler, starts),
            Some(mut layers) => {
                (self.attempts).start_layered(id, held, handler, starts, &mut layers)
            }
        };
        running.alone = may.alone;
        entry.state = State::Running(running);
        self.time_attempt(id);
        self.unlimited.push(id);
        true
    }

    /// Takes the next event whose key is free, and blocks the key.
    fn take_ready(&mut self) -> Option<usize> {
        loop {
            let id = self.ready.pop_front()?;
            let place = self.place(id);
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            let free = match &entry.key {
                Some(key) if !entry.blocks_key => self.keys.block(key, place),
                _ => true,
            };
            if free {
                entry.blocks_key = entry.key.is_some();
                return Some(id);
            }
        }
    }

    /// The time of a batch begins with its first event, also while other batches run.
    fn note_ready(&mut self) {
        if self.ready.is_empty() {
            self.ready_since = None;
        } else if self.ready_since.is_none() && self.handlers.batch().is_some() {
            self.ready_since = Some(self.read_clock());
        }
    }

    /// Whether a batch is full, or has waited long enough.
    fn may_start_batch(&mut self, batch: &BatchHandler) -> bool {
        let first = self.ready.front().and_then(|id| self.held.get(*id));
        let alone = first.is_some_and(|entry| entry.alone);
        if alone || self.ready.len() >= batch.max || self.held.len() >= self.max_held {
            return true;
        }
        let now = self.read_clock();
        let until = (self.ready_since.unwrap_or(now)).saturating_add(batch.within);
        if until <= now {
            return true;
        }
        self.wake_by(until);
        false
    }

    /// Starts a handler with the events that are ready.
    fn start_batch(&mut self, handler: &BatchHandler) -> bool {
        self.ready_since = None;
        let mut ids = std::mem::take(&mut self.spare);
        // Keys of events that are in the batch, are left for later, or wait at the breaker.
        let (mut keys, mut behind, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = Vec::new();
        while ids.len() < handler.max {
            let Some(id) = self.ready.pop_front() else {
                break;
            };
            let place = self.place(id);
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            // One that was delivered before may have ended the process.
            entry.alone |= entry.held.delivery().attempt() > 1;
            if entry.alone {
                if ids.is_empty() {
                    // Its key is blocked by itself, or by nobody.
                    self.ready.push_front(id);
                    return self.start_next();
                }
                behind.extend(entry.key.clone());
                rest.push(id);
                continue;
            }
            let Some(key) = entry.key.clone().filter(|_| !entry.blocks_key) else {
                if self.passes_breaker(id) {
                    ids.push(id);
                }
                continue;
            };
            if behind.contains(&key) {
                rest.push(id);
            } else if waiting.contains(&key) {
                self.keys.wait(&key, place);
            } else if keys.contains(&key) {
                // Its scope may be another one than that of the event before it.
                if self.circuit.is_open(&entry.scope) {
                    self.keys.wait(&key, place);
                    waiting.push(key);
                } else {
                    self.keys.join(&key, place);
                    if self.passes_breaker(id) {
                        ids.push(id);
                    }
                }
            } else if self.keys.block(&key, place) {
                if self.passes_breaker(id) {
                    ids.push(id);
                    keys.push(key);
                } else {
                    // It blocks its key; later ones of the batch follow it.
                    self.block_at_breaker(id);
                    waiting.push(key);
                }
            }
        }
        for id in rest.into_iter().rev() {
            self.ready.push_front(id);
        }
        self.run_batch(ids, handler, None)
    }

    fn run_batch(&mut self, ids: Vec<usize>, handler: &BatchHandler, alone: Option<Alone>) -> bool {
        let Some(&first) = ids.first() else {
            return false;
        };
        let mut batch = Vec::with_capacity(ids.len());
        for id in &ids {
            if let Some(entry) = self.held.get_mut(*id) {
                entry.count_start();
                entry.held.begin_attempt();
                entry.state = State::InBatch;
                batch.push(Ctx::new(std::sync::Arc::clone(&entry.held), entry.starts));
            }
        }
        for id in &ids {
            self.time_attempt(*id);
        }
        let mut running = self.attempts.start_batch(first, handler, batch);
        (running.alone, running.batch) = (alone, ids);
        if let Some(entry) = self.held.get_mut(first) {
            entry.state = State::Running(running);
        }
        self.unlimited.push(first);
        true
    }

    /// When a batch that is not full starts.
    pub(super) fn batch_deadline(&self, now: Duration) -> Option<Duration> {
        let batch = self.handlers.batch()?;
        let until = self.ready_since?.saturating_add(batch.within);
        // One that is over starts when a handler is free.
        (until > now && !self.ready.is_empty()).then_some(until)
    }
}

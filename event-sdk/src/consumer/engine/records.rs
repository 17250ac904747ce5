//! Attempt records of an engine: the start of an event that was delivered before is recorded before
//! it, and each failed attempt after it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::transport::Settlement;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;

use super::entry::{Entry, State};
use super::start::May;
use super::suspects::Gate;
use super::{Boxed, Engine};
use crate::consumer::attempts::{
    AttemptRecords, Begun, EventPlace, Known, LastOutcome, Next, Patience, StoreError, Verdict,
};
use crate::consumer::held::Shared;
use crate::consumer::{Failure, FailureClass};
use crate::dead_letters::DeadLetterClass;
use crate::subscribe::End;

/// The attempt records of an engine.
pub(super) struct Recorder {
    pub(super) records: Arc<AttemptRecords>,
    pub(super) gate: Gate,
    patience: Patience,
    pending: FuturesUnordered<Boxed<Recorded>>,
    /// Starts that are being recorded.
    starting: usize,
    /// Events that are given back as soon as their request has completed.
    leaving: Vec<(usize, Settlement)>,
}

/// A request to the records that has completed.
enum Recorded {
    Begun {
        id: usize,
        known: Box<Known>,
        may: May,
        begun: Result<Begun, StoreError>,
    },
    Ended {
        id: usize,
        known: Box<Known>,
        then: Then,
    },
    /// The start of an event is taken back, or was not in time; it goes back to the stream now.
    TakenBack {
        id: usize,
        settlement: Settlement,
        /// The request, if it is not complete.
        rest: Option<Boxed<Result<(), StoreError>>>,
    },
    /// The event that is given back has waited long enough for its request.
    Late(usize),
    /// Nothing follows.
    Done,
}

/// How long an event is kept at most so that its start is recorded, and then so that it is taken
/// back. Both are less than a drain leaves for the last settlements.
const TAKE_BACK_WITHIN: Duration = Duration::from_millis(400);

/// What follows after an attempt was recorded.
pub(super) enum Then {
    /// It is repeated at this time.
    Wait(Duration),
    GiveUp(Failure, DeadLetterClass),
    GiveBack,
    ClaimOutage,
    RunAlone,
}

impl Recorder {
    pub(super) fn new(shared: &Shared, max_attempts: u32) -> Self {
        let store = Arc::new(shared.bus.coordination());
        let records = AttemptRecords::new(shared.name.clone(), max_attempts, store);
        Self {
            records: Arc::new(records),
            gate: Gate::new(Arc::clone(shared.bus.process_gate())),
            patience: Patience::default(),
            pending: FuturesUnordered::new(),
            starting: 0,
            leaving: Vec::new(),
        }
    }

    /// Starts that are being recorded.
    pub(super) fn starting(&self) -> usize {
        self.starting
    }

    /// Whether nothing is being recorded.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Deletes the record of an event that is settled for good.
    pub(super) fn delete(&mut self, mut known: Box<Known>) {
        let records = Arc::clone(&self.records);
        self.do_last(async move { records.settled(&mut known).await });
    }

    pub(super) fn do_last(
        &mut self,
        done: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) {
        self.pending.push(Box::pin(async move {
            if let Err(error) = done.await {
                stays(&error);
            }
            Recorded::Done
        }));
    }
}

impl Engine {
    /// Whether the start of an event is recorded before it: the server has delivered it before.
    pub(super) fn is_recorded_first(&self, id: usize) -> bool {
        self.held.get(id).is_some_and(|entry| {
            entry.held.delivery().attempt() > 1 && !entry.counted && place_of(entry).is_some()
        })
    }

    /// Records the start of an event, and then starts it.
    pub(super) fn begin(&mut self, id: usize, may: May) {
        let now = self.clock.now();
        let Some(mut known) = self.take_known(id) else {
            return;
        };
        let records = Arc::clone(&self.recorder.records);
        self.recorder.starting += 1;
        self.recorder.pending.push(Box::pin(async move {
            let begun = records.begin(&mut known, may.alone.is_some(), now).await;
            Recorded::Begun {
                id,
                known,
                may,
                begun,
            }
        }));
    }

    /// Counts the attempt that has failed, and returns the number of attempts.
    pub(super) fn count_attempt(&mut self, id: usize) -> u32 {
        let now = self.clock.now();
        let Some(entry) = self.held.get_mut(id) else {
            return 0;
        };
        let records = &self.recorder.records;
        let mut known = match entry.known.take() {
            Some(known) => known,
            None => match place_of(entry) {
                Some(place) => Box::new(records.know(place)),
                None => return entry.failures.count,
            },
        };
        if !entry.counted {
            records.begin_unrecorded(&mut known, false, now);
            entry.counted = true;
        }
        let attempts = known.attempts();
        entry.known = Some(known);
        attempts
    }

    /// Records that an attempt has failed, and then does what follows.
    pub(super) fn record_failure(&mut self, id: usize, outcome: LastOutcome, then: Then) {
        let now = self.clock.now();
        let dead = matches!(then, Then::GiveUp(..));
        let is_known = self.held.get(id).is_some_and(|entry| entry.known.is_some());
        if !is_known {
            return self.follow(id, then);
        }
        self.count_attempt(id);
        let Some(mut known) = self.take_known(id) else {
            return;
        };
        let records = Arc::clone(&self.recorder.records);
        let consumer = self.shared.name.clone();
        self.recorder.pending.push(Box::pin(async move {
            if let Err(error) = records.failed(&mut known, outcome, dead, now).await {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %consumer,
                    attempts = known.attempts(),
                    "the attempt is counted in this process only, for now: {error}"
                );
            }
            Recorded::Ended { id, known, then }
        }));
    }

    /// The attempt ended in an outage: its start does not count.
    pub(super) fn record_outage(&mut self, id: usize) {
        self.take_back_then(id, Then::ClaimOutage);
    }

    /// Takes the start of an event back, and then does what follows.
    fn take_back_then(&mut self, id: usize, then: Then) {
        let counted = self.held.get(id).is_some_and(|entry| entry.counted);
        if !counted {
            return self.follow(id, then);
        }
        let Some(mut known) = self.take_known(id) else {
            return;
        };
        let records = Arc::clone(&self.recorder.records);
        self.recorder.pending.push(Box::pin(async move {
            // If it stays, the event runs alone once.
            let _ = records.take_back(&mut known).await;
            Recorded::Ended { id, known, then }
        }));
    }

    /// An event is given back. If its start is recorded, that was no attempt: it is taken back before
    /// another process gets the event and finds a start without an outcome. Otherwise returns the
    /// settlement.
    pub(super) fn take_back_first(
        &mut self,
        id: usize,
        settlement: Settlement,
    ) -> Option<Settlement> {
        let counted = self.held.get_mut(id).filter(|entry| entry.counted);
        let Some(mut known) = counted.and_then(|entry| entry.known.take()) else {
            return Some(settlement);
        };
        let records = Arc::clone(&self.recorder.records);
        let taken_back: Boxed<_> = Box::pin(async move { records.take_back(&mut known).await });
        let until = self.read_clock().saturating_add(TAKE_BACK_WITHIN);
        let late = self.clock.sleep_until(until);
        self.recorder.pending.push(Box::pin(async move {
            let rest = match select(taken_back, late).await {
                Either::Left((Ok(()), _)) => None,
                Either::Left((Err(error), _)) => {
                    stays(&error);
                    None
                }
                Either::Right(((), rest)) => Some(rest),
            };
            Recorded::TakenBack {
                id,
                settlement,
                rest,
            }
        }));
        None
    }

    /// An event is given back while something is recorded of it: it goes back after that.
    pub(super) fn leave_when_recorded(&mut self, id: usize, settlement: Settlement) {
        self.recorder.leaving.push((id, settlement));
        let until = self.read_clock().saturating_add(TAKE_BACK_WITHIN);
        let late = self.clock.sleep_until(until);
        self.recorder.pending.push(Box::pin(async move {
            late.await;
            Recorded::Late(id)
        }));
    }

    /// Gives back an event for which this was waited; `known` if its start is recorded.
    fn leave(&mut self, id: usize, known: Option<Box<Known>>) {
        let leaving = &mut self.recorder.leaving;
        let Some(at) = leaving.iter().position(|(other, _)| *other == id) else {
            if let Some(mut known) = known {
                let records = Arc::clone(&self.recorder.records);
                self.recorder
                    .do_last(async move { records.take_back(&mut known).await });
            }
            return;
        };
        let (_, settlement) = leaving.swap_remove(at);
        if let Some(entry) = self.held.get_mut(id) {
            entry.counted = known.is_some();
            entry.known = known;
        }
        if let Some(settlement) = self.take_back_first(id, settlement) {
            self.settle_now(id, settlement);
        }
    }

    /// The event is settled for good: its record is deleted.
    pub(super) fn delete_record(&mut self, id: usize, end: Option<End>) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        if let (Some(_), Some(known)) = (end, entry.known.take()) {
            self.recorder.delete(known);
        }
    }

    /// Takes what is known of an event for a request to the records.
    fn take_known(&mut self, id: usize) -> Option<Box<Known>> {
        let entry = self.held.get_mut(id)?;
        entry.state = State::Recording;
        entry.counted = false;
        match entry.known.take() {
            Some(known) => Some(known),
            None => Some(Box::new(self.recorder.records.know(place_of(entry)?))),
        }
    }

    /// Takes what was recorded, and lets suspects run whose turn it is.
    pub(super) fn poll_records(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.recorder.pending.is_empty() {
            let Poll::Ready(Some(recorded)) = self.recorder.pending.poll_next_unpin(cx) else {
                break;
            };
            moved = true;
            match recorded {
                Recorded::Begun {
                    id,
                    known,
                    may,
                    begun,
                } => self.begun(id, known, may, begun),
                Recorded::Ended { id, known, then } => {
                    if let Some(entry) = self.recording(id) {
                        entry.known = Some(known);
                        self.follow(id, then);
                    } else {
                        self.leave(id, None);
                    }
                }
                Recorded::Late(id) => self.leave(id, None),
                Recorded::TakenBack {
                    id,
                    settlement,
                    rest,
                } => {
                    if let Some(rest) = rest {
                        self.recorder.do_last(rest);
                    }
                    self.settle_now(id, settlement);
                }
                Recorded::Done => {}
            }
        }
        moved | self.poll_suspects(cx)
    }

    /// An event whose request to the records has completed, unless it was given back meanwhile.
    fn recording(&mut self, id: usize) -> Option<&mut Entry> {
        let entry = self.held.get_mut(id);
        entry.filter(|entry| matches!(entry.state, State::Recording))
    }

    fn follow(&mut self, id: usize, then: Then) {
        match then {
            Then::GiveUp(failure, class) => self.give_up(id, &failure, class),
            _ if self.drain_until.is_some() => self.give_back(id, Duration::ZERO),
            Then::GiveBack => self.give_back(id, Duration::ZERO),
            Then::ClaimOutage => self.claim_outage(id),
            Then::RunAlone => self.suspect(id, true),
            Then::Wait(until) => self.wait_until(id, until),
        }
    }

    pub(super) fn wait_until(&mut self, id: usize, until: Duration) {
        if let Some(entry) = self.held.get_mut(id) {
            entry.state = State::Waiting(until);
            self.wake_by(until);
            self.hold_key(id);
        }
    }

    /// The start of an event was recorded, or could not be.
    fn begun(&mut self, id: usize, known: Box<Known>, may: May, begun: Result<Begun, StoreError>) {
        self.recorder.starting -= 1;
        let now = self.read_clock();
        let Some(entry) = self.recording(id) else {
            let started = matches!(begun, Ok(Begun::Started));
            self.leave(id, started.then_some(known));
            return;
        };
        entry.counted = matches!(begun, Ok(Begun::Started));
        if let Some((first, last)) = known.failed_at() {
            entry.failures.first = Some(entry.failures.first.map_or(first, |at| at.min(first)));
            entry.failures.last.get_or_insert(last);
        }
        entry.known = Some(known);
        if begun.is_ok() {
            self.recorder.patience.answered();
        }
        if self.drain_until.is_some() {
            return self.give_back(id, Duration::ZERO);
        }
        match begun {
            // It took so long that the owner may start nothing any more.
            Ok(Begun::Started) if !self.may_start() => match may.alone {
                // It stays counted.
                None => self.wait_until(id, now),
                // To the next owner it would be one that ended the process, with nothing beside it.
                Some(_) => self.take_back_then(id, Then::RunAlone),
            },
            Ok(Begun::Started) => {
                if !self.launch(id, may) {
                    self.give_back(id, Duration::ZERO);
                }
            }
            Ok(Begun::Instead(Verdict::Dead)) => self.is_dead(id),
            Ok(Begun::Instead(Verdict::Alone)) => self.suspect(id, true),
            // Another process has just learned how it ended.
            Ok(Begun::Instead(Verdict::Beside)) => self.begin(id, may),
            Err(error) => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    "a redelivered event waits, since its attempt record cannot be used: {error}"
                );
                match self.recorder.patience.failed(now) {
                    Next::AskAgain(at) => {
                        self.tell_breaker(id, false);
                        self.wait_until(id, at);
                    }
                    Next::StartAlone => self.suspect(id, false),
                }
            }
        }
    }

    /// The attempts at an event are over, by its record.
    fn is_dead(&mut self, id: usize) {
        self.tell_breaker(id, false);
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let Some(known) = &entry.known else { return };
        entry.starts = known.attempts();
        let (class, text) = match known.last_outcome() {
            Some(LastOutcome::ProcessEnded) => (
                DeadLetterClass::KilledProcess,
                "the process ended each time that the handler ran, also when it ran alone",
            ),
            Some(LastOutcome::Reject) => (
                DeadLetterClass::Rejected,
                "the handler rejected the event before the process was restarted",
            ),
            Some(LastOutcome::Retry | LastOutcome::Outage) | None => (
                DeadLetterClass::RetryExhausted,
                "the attempts were over before the process was restarted",
            ),
        };
        let failure = Failure::of_consumer(FailureClass::Reject, text);
        self.give_up(id, &failure, class);
    }

    /// Starts an event alone, while its record cannot be reached.
    pub(super) fn start_unrecorded(&mut self, id: usize, may: May) {
        let now = self.clock.now();
        if let Some(entry) = self.held.get_mut(id)
            && let Some(known) = &mut entry.known
        {
            self.recorder.records.begin_unrecorded(known, true, now);
            entry.counted = true;
            self.launch(id, may);
        }
    }
}

fn stays(error: &StoreError) {
    tracing::debug!(
        target: crate::TRACING_TARGET,
        "an attempt record stays until it expires: {error}"
    );
}

/// Where the record of an event is; `None` on a transport without streams. Those of an event of the
/// park are about the message that it has there: a letter that failed again is another one.
fn place_of(entry: &Entry) -> Option<EventPlace<'_>> {
    if let Some(parked) = entry.held.parked() {
        return Some(EventPlace {
            stream: &parked.stream,
            sequence: parked.event.id,
            stored_at: None,
        });
    }
    let delivery = entry.held.delivery();
    Some(EventPlace {
        stream: delivery.stream()?,
        sequence: delivery.sequence()?,
        stored_at: delivery.stored_at(),
    })
}

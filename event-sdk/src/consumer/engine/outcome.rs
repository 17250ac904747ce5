//! What follows the end of a handler: an acknowledgement, another attempt, a dead letter; and the
//! settlements that the transport has not yet taken.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Completion, Error, Settlement};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::attempt::Ended;
use super::entry::State;
use super::observing::end_of;
use super::records::Then;
use super::{Boxed, Engine};
use crate::consumer::attempts::LastOutcome;
use crate::consumer::batch::BatchEnd;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};
use crate::dead_letters::{DeadLetterClass, GivenUp};
use crate::message::DecodeError;
use crate::observer::EventEnd;
use crate::subscribe::{End, Refusal};

/// Settlements, and writes of dead letters, that are not complete.
#[derive(Default)]
pub(super) struct Settling {
    pending: FuturesUnordered<Boxed<Settled>>,
}

/// Something that has completed.
pub(super) enum Settled {
    /// The settlement of a held event.
    Held(usize, Option<End>, Result<(), Error>),
    /// The letter of a held event was written, or could not be.
    Letter(usize, Result<GivenUp, Error>),
    /// An event of the park is marked.
    Parked(usize, ParkEnd),
    /// The acknowledgement of events of a stream.
    Acks(Text, Result<(), Error>),
    /// The restart of an ack wait.
    InProgress(Result<(), Error>),
    /// The acknowledgement of an event of another partition.
    Foreign(Result<(), Error>),
}

/// How an event of the park ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParkEnd {
    Handled,
    /// A letter has taken its place, and later events go on.
    Replaced,
    /// A letter has taken its place, and holds the key.
    Dead,
}

impl Settling {
    pub(super) fn push(
        &mut self,
        id: usize,
        end: Option<End>,
        answer: Completion<Result<(), Error>>,
    ) {
        let settled = async move { Settled::Held(id, end, answer.await) };
        self.pending.push(Box::pin(settled));
    }

    pub(super) fn push_letter(
        &mut self,
        id: usize,
        written: impl Future<Output = Result<GivenUp, Error>> + Send + 'static,
    ) {
        let settled = async move { Settled::Letter(id, written.await) };
        self.pending.push(Box::pin(settled));
    }

    pub(super) fn push_parked(
        &mut self,
        id: usize,
        end: ParkEnd,
        marked: impl Future<Output = ()> + Send + 'static,
    ) {
        self.pending.push(Box::pin(async move {
            marked.await;
            Settled::Parked(id, end)
        }));
    }

    pub(super) fn push_acks(&mut self, stream: Text, answer: Completion<Result<(), Error>>) {
        self.pending
            .push(Box::pin(async move { Settled::Acks(stream, answer.await) }));
    }

    pub(super) fn push_in_progress(&mut self, answer: Completion<Result<(), Error>>) {
        self.pending
            .push(Box::pin(async move { Settled::InProgress(answer.await) }));
    }

    pub(super) fn push_foreign(&mut self, answer: Completion<Result<(), Error>>) {
        self.pending
            .push(Box::pin(async move { Settled::Foreign(answer.await) }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Waits for none of them any more.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }
}

/// The delay of the first nak of an unknown event; it doubles with each delivery.
const UNKNOWN_DELAY: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes settlements that have completed.
    pub(super) fn poll_settling(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.settling.is_empty() {
            match self.settling.pending.poll_next_unpin(cx) {
                Poll::Ready(Some(settled)) => {
                    moved = true;
                    match settled {
                        Settled::Held(id, end, answer) => self.settled(id, end, answer),
                        Settled::Letter(id, answer) => self.letter_written(id, answer),
                        Settled::Parked(id, end) => self.parked_settled(id, end),
                        Settled::Acks(stream, answer) => self.acks_sent(&stream, answer),
                        Settled::InProgress(answer) => self.kept_alive(&answer),
                        Settled::Foreign(answer) => self.has_left(&answer),
                    }
                }
                _ => break,
            }
        }
        moved
    }

    /// The transport has taken a settlement, or has not.
    pub(super) fn settled(&mut self, id: usize, end: Option<End>, answer: Result<(), Error>) {
        let settled = answer.is_ok();
        if let Some(entry) = self.held.get(id) {
            let delivery = entry.held.delivery();
            match answer {
                Ok(()) => delivery.settled(end),
                Err(error) => {
                    self.report.settlements_failed += 1;
                    tracing::warn!(
                        target: crate::TRACING_TARGET,
                        consumer = %self.shared.name,
                        subject = %delivery.subject(),
                        sequence = delivery.sequence(),
                        "the event may be delivered again: {error}"
                    );
                }
            }
        }
        // An event that comes again needs what is known of it, most of all that it is dead.
        if settled {
            self.delete_record(id, end);
        }
        self.forget(id);
    }

    /// Decides what follows an attempt.
    pub(super) fn ended(&mut self, id: usize, ended: Ended) {
        let Some(entry) = self.held.get_mut(id) else {
            // It was given back at the end of the drain.
            return;
        };
        if !matches!(entry.state, State::Running(_)) {
            return;
        }
        let State::Running(mut running) = std::mem::replace(&mut entry.state, State::Queued) else {
            return;
        };
        let batch = std::mem::take(&mut running.batch);
        let outcome = match ended {
            Ended::Returned(outcome) => outcome,
            Ended::Batch(BatchEnd::DoneBut(stops)) => return self.batch_ended(batch, stops),
            Ended::Batch(BatchEnd::Whole(failure)) => Err(Stop::Failed(failure)),
            Ended::Cancelled if running.timed_out => Err(Stop::Failed(timed_out())),
            Ended::Cancelled => Err(Stop::Failed(Failure::of_consumer(
                FailureClass::Retry,
                "the handler was cancelled",
            ))),
        };
        match outcome {
            Err(Stop::Failed(failure)) if batch.len() > 1 => self.batch_failed(&batch, &failure),
            outcome => self.decide(id, outcome),
        }
    }

    /// Decides what follows the outcome of one event.
    pub(super) fn decide(&mut self, id: usize, outcome: Result<(), Stop>) {
        self.observe_attempt(id, end_of(&outcome));
        let outage = matches!(&outcome, Err(Stop::Failed(failure)) if failure.class() == FailureClass::Outage);
        if !outage {
            self.tell_breaker(id, outcome.is_ok());
        }
        match outcome {
            Ok(()) => {
                let entry = self.held.get(id);
                let end = entry.map_or(EventEnd::Handled, |entry| entry.held.success());
                self.count(id, end);
                self.settle(id, Settlement::Ack);
            }
            Err(Stop::Unreadable(error)) => self.unreadable(id, &error),
            Err(Stop::Failed(failure)) => match failure.class() {
                FailureClass::Retry => self.retry(id, failure),
                FailureClass::Outage => self.outage(id, &failure),
                FailureClass::Reject => self.reject(id, failure),
            },
        }
    }

    pub(super) fn retry(&mut self, id: usize, failure: Failure) {
        self.note_failure(id, &failure);
        let outcome = match failure.class() {
            FailureClass::Outage => LastOutcome::Outage,
            _ => LastOutcome::Retry,
        };
        let now = self.read_clock();
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let seed = entry.held.delivery().sequence().unwrap_or_default();
        let attempts = self.count_attempt(id);
        let then = match self.options.retry.delay(attempts, seed) {
            None => Then::GiveUp(failure, DeadLetterClass::RetryExhausted),
            Some(_) if self.drain_until.is_some() => Then::GiveBack,
            Some(delay) => Then::Wait(now.saturating_add(delay)),
        };
        self.record_failure(id, outcome, then);
    }

    /// The event will never succeed.
    fn reject(&mut self, id: usize, failure: Failure) {
        let then = Then::GiveUp(failure, DeadLetterClass::Rejected);
        self.record_failure(id, LastOutcome::Reject, then);
    }

    /// A dependency is unavailable: the attempt does not count, and the event waits at the breaker.
    fn outage(&mut self, id: usize, failure: &Failure) {
        self.report.outages += 1;
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.starts = entry.starts.saturating_sub(1);
        let delivery = entry.held.delivery();
        tracing::debug!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            subject = %delivery.subject(),
            sequence = delivery.sequence(),
            "handler claims an outage: {failure}"
        );
        if self.drain_until.is_some() {
            self.give_back(id, Duration::ZERO);
        } else {
            self.record_outage(id);
        }
    }

    pub(super) fn note_failure(&mut self, id: usize, failure: &Failure) {
        self.report.failed_attempts += 1;
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let now = self.clock.now();
        entry.failures.count = entry.failures.count.saturating_add(1);
        entry.failures.first.get_or_insert(now);
        entry.failures.last = Some(now);
        let delivery = entry.held.delivery();
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            subject = %delivery.subject(),
            sequence = delivery.sequence(),
            attempt = entry.starts,
            class = %failure.class(),
            "handler failed: {failure}"
        );
    }

    /// The message is not an event of the set, or cannot be read.
    fn unreadable(&mut self, id: usize, error: &DecodeError) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        match entry.held.delivery().refusal(error, UNKNOWN_DELAY) {
            Refusal::Nak(delay) => {
                let delay = self.longest_delay().map_or(delay, |most| delay.min(most));
                self.count(id, EventEnd::Delayed);
                self.settle(id, Settlement::Nak(delay));
            }
            Refusal::Term => {
                let failure = Failure::described(FailureClass::Reject, error.to_string());
                self.give_up(id, &failure, DeadLetterClass::Unreadable);
            }
            Refusal::Terminated(terminated) => {
                let failure = Failure::described(FailureClass::Reject, terminated.reason);
                self.give_up(id, &failure, DeadLetterClass::UnknownEvent);
            }
        }
    }

    /// An event without a handler: it never takes a place among those that do.
    pub(super) fn refuse_unknown(&mut self, id: usize) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        if let Some(error) = (self.set.refusal)(entry.held.delivery()) {
            self.unreadable(id, &error);
        } else {
            let text = "no handler for the event".to_owned();
            let failure = Failure::described(FailureClass::Reject, text);
            self.give_up(id, &failure, DeadLetterClass::Unreadable);
        }
    }
}

fn timed_out() -> Failure {
    Failure::of_consumer(FailureClass::Retry, "the handler exceeded its time limit")
}

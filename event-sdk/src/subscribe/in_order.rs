//! Keeps an acknowledgement that settles everything before it from settling what
//! nobody has handled.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{
    Answer, ConsumerConfig, Error, ErrorKind, Exhausted, Gap, Lost, Operation, Received, Settle,
    Settlement, Settler,
};

/// The deliveries of one consumer whose policy is
/// [`AckPolicy::All`](event_sdk_core::transport::AckPolicy::All), in order, that
/// are not settled.
///
/// What a handler acknowledges is noted, and the transport is told as soon as
/// everything before it is settled too: of several it is told the last. So each
/// acknowledgement settles what it was given for and nothing else, in whatever
/// order they come, whatever was put back or dropped in between.
pub(super) struct InOrder {
    stream: Text,
    clock: Arc<dyn Clock>,
    /// How long a delivery may be in hand.
    ack_wait: Duration,
    open: Mutex<Open>,
}

/// What is not settled, by sequence.
#[derive(Default)]
struct Open {
    entries: VecDeque<Entry>,
    /// The transport was told that everything is settled up to this sequence.
    through: u64,
}

/// A delivery that the transport does not know to be settled.
struct Entry {
    sequence: u64,
    /// How many have it in their hands: it may have been delivered again.
    holders: u32,
    state: State,
}

enum State {
    /// Its handler has it.
    Open,
    /// It was put back or let go, comes again, and has to by then.
    Away(Duration),
    /// Its handler has settled it so; something before it is not settled.
    Noted(Settler, Settlement),
}

/// What is to be done with a message that has come.
pub(super) enum Arrival {
    /// It is for the caller.
    New(Received),
    /// Its handler has settled it already. It is settled again where the transport
    /// may not have heard of it, with this answer.
    Known(Option<Answer<Settled>>),
}

/// How much longer than expected something that was put back may take: the
/// server may have been away itself.
const GRACE: Duration = Duration::from_secs(30);

impl InOrder {
    pub(super) fn new(stream: Text, clock: Arc<dyn Clock>, config: &ConsumerConfig) -> Self {
        let longest = config.backoff.iter().copied().max();
        Self {
            stream,
            clock,
            ack_wait: longest.unwrap_or(config.ack_wait),
            open: Mutex::default(),
        }
    }

    /// A message has come: it is settled here from now on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] when one that was put back has not come again for so
    /// long that it never will, so that no acknowledgement would arrive any more;
    /// [`ErrorKind::Other`] when the message has no sequence.
    pub(super) fn arrived(self: &Arc<Self>, mut received: Received) -> Result<Arrival, Error> {
        let Some(settler) = received.settler.take() else {
            return Ok(Arrival::New(received));
        };
        let Some(sequence) = received.info.sequence else {
            return Err(self.error(
                ErrorKind::Other,
                "the transport says no sequence, so that it is not known what an acknowledgement would settle",
            ));
        };
        let mut open = self.lock();
        match open.find(sequence) {
            Ok(at) => {
                let entry = &mut open.entries[at];
                if let State::Noted(known, _) = &mut entry.state {
                    *known = settler;
                    return self.check_front(&open).map(|()| Arrival::Known(None));
                }
                entry.holders = entry.holders.saturating_add(1);
                entry.state = State::Open;
            }
            // It was on its way when it was settled.
            Err(_) if sequence <= open.through && received.info.attempt > 1 => {
                drop(open);
                return Ok(Arrival::Known(Some(settler.settle(Settlement::Ack))));
            }
            Err(at) => open.entries.insert(at, Entry::new(sequence, State::Open)),
        }
        let checked = self.check_front(&open);
        drop(open);
        let held = Held {
            order: Arc::clone(self),
            sequence,
            settler,
        };
        checked?;
        received.settler = Some(Settler::new(Arc::new(held), sequence));
        Ok(Arrival::New(received))
    }

    /// A message ran out of deliveries: it does not come again.
    pub(super) fn exhausted(&self, exhausted: &Exhausted) {
        self.gone(|sequence| sequence == exhausted.sequence);
    }

    /// The stream has dropped messages: they do not come again, where it is known
    /// which they are.
    pub(super) fn dropped(&self, gap: &Gap) {
        if gap.lost == Lost::Exactly((gap.to - gap.from).saturating_add(1)) {
            self.gone(|sequence| (gap.from..=gap.to).contains(&sequence));
        }
    }

    /// Forgets what is away and does not come again.
    fn gone(&self, which: impl Fn(u64) -> bool) {
        let mut open = self.lock();
        let is_gone =
            |entry: &Entry| which(entry.sequence) && matches!(entry.state, State::Away(_));
        open.entries.retain(|entry| !is_gone(entry));
        let settled = open.take_settled();
        drop(open);
        // Where it fails, they come again and are settled then.
        drop(tell(settled, None));
    }

    fn settle(&self, held: &Held, settlement: Settlement) -> Answer<Settled> {
        let sequence = held.sequence;
        let mut open = self.lock();
        let found = open.find(sequence);
        let entries = &mut open.entries;
        match settlement {
            Settlement::Ack | Settlement::Term(_) => {
                let noted = State::Noted(held.settler.clone(), settlement);
                match found {
                    Ok(at) if matches!(entries[at].state, State::Noted(..)) => {}
                    Ok(at) => entries[at].state = noted,
                    // It was settled before; the transport may not have heard.
                    Err(at) => entries.insert(at, Entry::new(sequence, noted)),
                }
                let settled = open.take_settled();
                drop(open);
                tell(settled, None)
            }
            Settlement::AckConfirmed => {
                let unsettled = entries.iter().find(|entry| !entry.is_noted());
                if let Some(before) = unsettled.filter(|entry| entry.sequence < sequence) {
                    return Answer::ready(Err(self.early(before.sequence)));
                }
                if let Ok(at) = found {
                    entries[at].state = State::Noted(held.settler.clone(), Settlement::Ack);
                }
                let settled = open.take_settled();
                drop(open);
                tell(settled, Some(held.settler.clone()))
            }
            other => {
                match found.map(|at| &mut entries[at].state) {
                    // Acknowledged is acknowledged.
                    Ok(State::Noted(..)) => return Answer::ready(Ok(())),
                    Ok(state) => {
                        if let Settlement::Nak(delay) = other {
                            *state = State::Away(self.due(delay));
                        }
                    }
                    Err(_) => {}
                }
                drop(open);
                held.settler.settle(other)
            }
        }
    }

    /// Somebody had it in his hands and has not any more.
    fn let_go(&self, sequence: u64) {
        let mut open = self.lock();
        let Ok(at) = open.find(sequence) else {
            return;
        };
        let entry = &mut open.entries[at];
        entry.holders = entry.holders.saturating_sub(1);
        if entry.holders == 0 && matches!(entry.state, State::Open) {
            entry.state = State::Away(self.due(Duration::ZERO));
        }
    }

    /// By when something comes again that was put back for `delay` or let go.
    fn due(&self, delay: Duration) -> Duration {
        let wait = delay.max(self.ack_wait);
        self.clock.monotonic().saturating_add(wait)
    }

    /// Whether the first may still come, if it is away.
    fn check_front(&self, open: &Open) -> Result<(), Error> {
        let Some(front) = open.entries.front() else {
            return Ok(());
        };
        let State::Away(due) = front.state else {
            return Ok(());
        };
        let late = self.ack_wait.max(GRACE);
        if self.clock.monotonic() <= due.saturating_add(late) {
            return Ok(());
        }
        Err(self.error(
            ErrorKind::Timeout,
            format!(
                "sequence {} was put back and has not come again: the stream may have dropped it; what came after it is acknowledged with it, so subscribe again to go on without it",
                front.sequence
            ),
        ))
    }

    fn early(&self, sequence: u64) -> Error {
        Error::new(
            ErrorKind::EarlierUnsettled { sequence },
            Operation::Settle,
            format!(
                "sequence {sequence} came before it and is not settled, and an acknowledgement settles everything before it; settle that one first, or use `ack()`, which waits for it"
            ),
        )
        .at_stream(self.stream.clone())
    }

    fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        Error::new(kind, Operation::Subscribe, reason).at_stream(self.stream.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing in here panics half way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(sequence: u64, state: State) -> Self {
        Self {
            sequence,
            holders: 1,
            state,
        }
    }

    fn is_noted(&self) -> bool {
        matches!(self.state, State::Noted(..))
    }
}

impl Open {
    /// Where `sequence` is, or would be.
    fn find(&self, sequence: u64) -> Result<usize, usize> {
        match self.entries.back() {
            Some(last) if last.sequence >= sequence => self
                .entries
                .binary_search_by_key(&sequence, |entry| entry.sequence),
            _ => Err(self.entries.len()),
        }
    }

    /// Takes out what is settled, and everything before it, too.
    fn take_settled(&mut self) -> Vec<(Settler, Settlement)> {
        let open = self.entries.iter().position(|entry| !entry.is_noted());
        let count = open.unwrap_or(self.entries.len());
        let settled = self.entries.drain(..count);
        let through = &mut self.through;
        settled
            .filter_map(|entry| match entry.state {
                State::Noted(settler, settlement) => {
                    *through = entry.sequence.max(*through);
                    Some((settler, settlement))
                }
                _ => None,
            })
            .collect()
    }
}

type Settled = Result<(), Error>;

/// Tells the transport of these: of each that was given up, with its reason, and of
/// the last, which settles them all. In place of that last an answer may be wanted
/// to an acknowledgement through `confirm`, which comes after all of them.
fn tell(settled: Vec<(Settler, Settlement)>, confirm: Option<Settler>) -> Answer<Settled> {
    let last = settled.len().saturating_sub(1);
    let mut waiting = Vec::new();
    let mut failed = None;
    let mut note = |answer: Answer<Settled>| match answer.try_into_ready() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            failed.get_or_insert(error);
        }
        Err(answer) => waiting.push(answer),
    };
    for (index, (settler, settlement)) in settled.iter().enumerate() {
        let is_term = matches!(settlement, Settlement::Term(_));
        if is_term || (index == last && confirm.is_none()) {
            note(settler.settle(settlement.clone()));
        }
    }
    if let Some(confirm) = &confirm {
        note(confirm.settle(Settlement::AckConfirmed));
    }
    if waiting.is_empty() {
        return Answer::ready(failed.map_or(Ok(()), Err));
    }
    Answer::later(async move {
        for answer in waiting {
            if let Err(error) = answer.await {
                failed.get_or_insert(error);
            }
        }
        // Until here somebody has them in his hands, as far as the transport knows.
        drop((settled, confirm));
        failed.map_or(Ok(()), Err)
    })
}

/// One delivery, settled in its order.
struct Held {
    order: Arc<InOrder>,
    sequence: u64,
    settler: Settler,
}

impl Settle for Held {
    fn settle(&self, _: u64, settlement: Settlement) -> Answer<Settled> {
        self.order.settle(self, settlement)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.order.let_go(self.sequence);
    }
}

impl fmt::Debug for InOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InOrder")
            .field("stream", &self.stream)
            .field("open", &self.lock().entries.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

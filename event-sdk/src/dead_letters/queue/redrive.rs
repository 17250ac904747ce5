//! `Redrive`: sends letters to the retry stream of their consumers, each one once, also if it is
//! killed and repeated.

use std::fmt;
use std::future::IntoFuture;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use event_sdk_core::codec::RawEnvelope;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::super::area::Area;
use super::super::audit::Audit;
use super::super::letter::DeadLetter;
use super::super::marks::{mark, state_now};
use super::super::park::DeadKey;
#[cfg(doc)]
use super::super::park::Park;
use super::super::resend::{Resend, Resent, check_edited};
use super::super::state::{LetterState, LetterStatus};
use super::super::store::DeadLetterStore as _;
use super::super::stream_store::StreamDeadLetters;
use super::DeadLetterQueue;
use super::filter::LetterFilter;
use super::scan::Stored;
use super::summary::LetterSummary;

impl DeadLetterQueue {
    /// Sends the events of letters to their consumers again: set options, then await the result.
    /// The events are published to the retry stream, and each consumer reads only its own events
    /// from there.
    ///
    /// A letter has a *redrive number*: how often its event was redriven before. Each letter is
    /// redriven once. The event is stored in the retry stream under a subject that contains the
    /// next redrive number, and only if that subject has no message yet. After that, the letter is
    /// marked as redriven. So a redrive that was killed can be repeated at any time:
    /// [`already`](RedriveReport::already) then lists the letters that the earlier redrive had
    /// sent. If the event fails again, it becomes another letter, with a higher redrive number.
    ///
    /// Letters that were archived, given up or handled are not sent, even if the filter selects
    /// them.
    ///
    /// In sequenced mode a letter does not go through the retry stream: its key is
    /// [released](super::super::Park::release), and its consumer handles the events of the key in
    /// order.
    ///
    /// ```
    /// # use event_sdk::dead_letters::{Audit, DeadLetterQueue, LetterFilter};
    /// # async fn example(letters: DeadLetterQueue) -> Result<(), event_sdk::Error> {
    /// let of_billing = LetterFilter::open().consumer("billing");
    /// let report = letters
    ///     .redrive(of_billing)
    ///     .audit(Audit::by("alice").because("the price list is complete again"))
    ///     .per_second(100)
    ///     .await?;
    /// println!("{} events were redriven", report.redriven.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn redrive(&self, filter: LetterFilter) -> Redrive {
        Redrive {
            queue: self.clone(),
            filter,
            audit: Audit::default(),
            per_second: None,
            dry_run: false,
        }
    }

    /// Redrives the event of a letter with another body. The headers of the redriven event say who
    /// edited the body, and why. The letter keeps the original body. In sequenced mode, another
    /// letter with the edited body takes the place of the letter, and the key is released.
    ///
    /// The body must be an envelope with the id of the original event.
    ///
    /// Not cancel-safe: after dropping the future, the event may be redriven or not. If the call is
    /// repeated, the event is still redriven only once.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if there is no such letter, if it is not open,
    /// if it was redriven already, or if the body is not an envelope or has another event id. Also
    /// the [errors of every operation](DeadLetterQueue), and the errors of a publish.
    pub async fn edit_and_redrive(
        &self,
        id: u64,
        body: impl Into<Bytes>,
        audit: &Audit,
    ) -> Result<(), Error> {
        let body = body.into();
        let (stored, _) = self.editable(id, &body).await?;
        if stored.letter.letter.sequenced {
            return self.edit_in_park(&stored, body, audit).await;
        }
        match self.send(&stored, Some(body), audit).await? {
            Sent::Now | Sent::Earlier { is_same: true } => Ok(()),
            Sent::Earlier { is_same: false } => Err(self.refused(
                id,
                "it was redriven already; its next letter, if it fails again, can be edited",
            )),
        }
    }

    /// Makes the same checks as [`edit_and_redrive`](Self::edit_and_redrive), without sending the
    /// event, and returns the edited envelope.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if there is no such letter, if it is not open,
    /// or if the body is no envelope or has another event id. Also the [errors of every
    /// operation](DeadLetterQueue).
    pub async fn check_edit(&self, id: u64, body: &Bytes) -> Result<RawEnvelope, Error> {
        Ok(self.editable(id, body).await?.1)
    }

    /// An open letter, and its edited envelope.
    async fn editable(&self, id: u64, body: &Bytes) -> Result<(Stored, RawEnvelope), Error> {
        let Some(stored) = self.read(id).await? else {
            return Err(self.refused(id, "there is no letter with this id"));
        };
        let edited = check_edited(&self.bus, &stored.letter.letter, body);
        let edited = edited.map_err(|why| self.refused(id, &why))?;
        let status = &stored.letter.state.status;
        if *status != LetterStatus::Open {
            let why = format!("its status is {:?}", status.as_str());
            return Err(self.refused(id, &why));
        }
        Ok((stored, edited))
    }

    fn refused(&self, id: u64, why: &str) -> Error {
        let reason = format!("letter {id}: {why}");
        Error::new(ErrorKind::InvalidOption, Operation::Publish, reason)
            .at_stream(self.place.name())
    }

    /// Sends one letter, and marks it.
    async fn send(
        &self,
        stored: &Stored,
        edited: Option<Bytes>,
        audit: &Audit,
    ) -> Result<Sent, Error> {
        let event = Resend {
            letter: &stored.letter.letter,
            id: stored.letter.id,
            subject: &stored.subject,
            edited,
        };
        let sent = event.send(&self.bus, &self.place, audit).await?;
        let (sent, sequence) = match sent {
            Resent::Now { sequence } => (Sent::Now, sequence),
            Resent::Earlier { is_same, sequence } => (Sent::Earlier { is_same }, sequence),
        };
        if sent != Sent::Now && stored.letter.state.status == LetterStatus::Redriven {
            return Ok(sent);
        }
        let mut state = state_now(&self.bus, LetterStatus::Redriven, audit);
        state.retry_sequence = sequence;
        self.mark(stored, &state).await?;
        Ok(sent)
    }

    /// Puts the edited event in the place of its letter, and releases its key.
    async fn edit_in_park(&self, stored: &Stored, body: Bytes, audit: &Audit) -> Result<(), Error> {
        let mut edited = stored.letter.letter.clone();
        edited.redrive = edited.redrive.saturating_add(1);
        edited.body = body;
        let store = StreamDeadLetters::new(&self.bus, self.place.clone());
        store.put(&edited).await?;
        let state = state_now(&self.bus, LetterStatus::Replaced, audit);
        self.mark(stored, &state).await?;
        self.release(&edited, audit).await
    }

    /// Asks the owner of the consumer to handle the events of the letter's key.
    async fn release(&self, letter: &DeadLetter, audit: &Audit) -> Result<(), Error> {
        match DeadKey::of(letter) {
            Some(key) => {
                let park = self.park(letter.consumer.clone());
                park.release(&key, audit).await
            }
            None => Ok(()),
        }
    }

    /// Marks a letter that was sent, whatever else is written of it meanwhile.
    async fn mark(&self, stored: &Stored, state: &LetterState) -> Result<(), Error> {
        let Stored { letter, subject } = stored;
        let subject = subject.text(&self.place, Area::State);
        let (written, last) = ((letter.id, state), letter.state_sequence);
        let is_end = |now: &LetterStatus| *now == state.status;
        mark(&self.bus, &self.place, &subject, written, last, is_end).await
    }
}

/// Whether an event was sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Now,
    /// An earlier redrive had sent it, with the same body or with another one.
    Earlier {
        is_same: bool,
    },
}

/// A redrive of letters: set options, then await it. [`DeadLetterQueue::redrive`] returns it.
///
/// Nothing is sent before the first poll. If the future is dropped, some letters may have been
/// sent. The redrive can then be repeated: each letter is sent only once.
///
/// It fails with the [errors of every operation](DeadLetterQueue), with
/// [`NoStream`](ErrorKind::NoStream) or [`StreamNotFound`](ErrorKind::StreamNotFound) if the retry
/// stream is missing, or with [`StreamFull`](ErrorKind::StreamFull). Letters that were sent before
/// the error are marked.
#[must_use = "nothing is redriven until this is awaited"]
pub struct Redrive {
    queue: DeadLetterQueue,
    filter: LetterFilter,
    audit: Audit,
    per_second: Option<NonZeroU32>,
    dry_run: bool,
}

impl Redrive {
    /// Sets who redrives the letters, and why. The headers of the events and of the marks have
    /// both.
    pub fn audit(mut self, audit: Audit) -> Self {
        self.audit = audit;
        self
    }

    /// Sends at most this many events a second, evenly spaced: no burst follows a delay. Zero: no
    /// limit, the default.
    pub fn per_second(mut self, events: u32) -> Self {
        self.per_second = NonZeroU32::new(events);
        self
    }

    /// Sends and marks nothing: the report has only [`selected`](RedriveReport::selected).
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Runs the redrive like awaiting it, and reports the progress: after each letter, it calls
    /// `each` with the number of letters done so far and the number of letters selected.
    ///
    /// If the future is dropped, the same holds as for [the redrive](Self).
    ///
    /// # Errors
    ///
    /// The same as for awaiting the redrive.
    pub async fn watched(
        self,
        each: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<RedriveReport, Error> {
        let Self { queue, filter, .. } = &self;
        let selected = queue.matching(filter).await?.filter(may_be_sent);
        let mut report = RedriveReport {
            selected: selected.map(|letter| letter.id).collect(),
            ..RedriveReport::default()
        };
        if self.dry_run {
            return Ok(report);
        }
        let clock = queue.bus.clock();
        let pause = (self.per_second).map(|rate| Duration::from_secs(1) / rate.get());
        let mut next = clock.monotonic();
        let all = report.selected.len() as u64;
        for (done, &id) in (0..).zip(&report.selected) {
            if done > 0 {
                each(done, all);
            }
            let stored = match queue.read(id).await {
                Ok(stored) => stored,
                Err(error) if is_of_the_letter(&error) => {
                    report.failed.push((id, error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Another command may have purged, redriven or archived it since it was selected.
            let is_selected = |now: &Stored| {
                let now = now.letter.summary();
                filter.matches(&now) && may_be_sent(&now)
            };
            let Some(stored) = stored.filter(is_selected) else {
                report.changed.push(id);
                continue;
            };
            if let Some(pause) = pause {
                clock.sleep_until(next).await;
                // What was late is not caught up with: that would exceed the rate.
                next = clock.monotonic().saturating_add(pause);
            }
            if stored.letter.summary().holds_its_key() {
                queue.release(&stored.letter.letter, &self.audit).await?;
                report.released.push(id);
                continue;
            }
            match queue.send(&stored, None, &self.audit).await {
                Ok(Sent::Now) => report.redriven.push(id),
                Ok(Sent::Earlier { .. }) => report.already.push(id),
                Err(error) if is_of_the_letter(&error) => report.failed.push((id, error)),
                Err(error) => return Err(error),
            }
        }
        each(all, all);
        Ok(report)
    }
}

/// Whether a letter may be sent: it is open, or its earlier redrive is repeated.
fn may_be_sent(letter: &LetterSummary) -> bool {
    let status = &letter.state.status;
    matches!(status, LetterStatus::Open | LetterStatus::Redriven)
}

/// Whether the next letter may succeed all the same.
fn is_of_the_letter(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TooLarge { .. }
            | ErrorKind::InvalidHeader
            | ErrorKind::InvalidOption
            | ErrorKind::InvalidSubject
    )
}

impl IntoFuture for Redrive {
    type Output = Result<RedriveReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.watched(&mut |_, _| {}).await })
    }
}

impl fmt::Debug for Redrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redrive")
            .field("filter", &self.filter)
            .field("audit", &self.audit)
            .field("per_second", &self.per_second)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// The result of a [`Redrive`]: ids of letters.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RedriveReport {
    /// The letters that the filter selected.
    pub selected: Vec<u64>,
    /// Letters that were sent to their consumer.
    pub redriven: Vec<u64>,
    /// Letters that hold their keys (sequenced mode). The owner of the consumer was asked to handle
    /// the events of these keys in order. [`Park::outcome`] returns the owner's answer.
    pub released: Vec<u64>,
    /// Letters that an earlier redrive had sent before it was killed. Now they are marked.
    pub already: Vec<u64>,
    /// Letters that another command had redriven, archived or purged after they were selected.
    pub changed: Vec<u64>,
    /// Letters that cannot be sent, for example because they are too large.
    pub failed: Vec<(u64, Error)>,
}

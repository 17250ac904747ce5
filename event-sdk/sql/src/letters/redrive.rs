//! `SqlRedrive`: sends letters of a table to their consumers, each letter once, even if the redrive
//! is killed and repeated.

use std::fmt;
use std::future::IntoFuture;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use event_sdk::codec::RawEnvelope;
use event_sdk::dead_letters::{
    Audit, LetterFilter, LetterProgress, LetterState, LetterStatus, LetterSummary, QueuedLetter,
    RedriveReport, Resent,
};
use event_sdk::transport::{Error, ErrorKind, Operation};

use super::queue::SqlDeadLetterQueue;
use crate::inbox::InboxDatabase;

impl<DB: InboxDatabase> SqlDeadLetterQueue<DB> {
    /// Sends letters to the retry stream, from which only their own consumer reads: set options, then
    /// await it.
    ///
    /// A letter is redriven once under each redrive number: the event is stored in the retry stream
    /// only if its subject has no message there, and then the letter is marked. So a redrive that
    /// was killed can be repeated at any time. In the result, letters that an earlier redrive had
    /// sent are listed under [`already`](RedriveReport::already). If the event fails again, it gets
    /// another letter, with a higher redrive number.
    ///
    /// Letters that were archived or handled are left out, whatever the filter says.
    pub fn redrive(&self, filter: LetterFilter) -> SqlRedrive<DB> {
        SqlRedrive {
            queue: self.clone(),
            filter,
            audit: Audit::default(),
            per_second: None,
            dry_run: false,
        }
    }

    /// Redrives a letter with another body. The headers of the event say by whom and why the body
    /// was edited. The letter keeps the original body.
    ///
    /// The new body must be an envelope with the id of the original event.
    ///
    /// Not cancel-safe: if the future is dropped, the event may or may not be redriven. Repeating
    /// the call redrives the event once.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if there is no such letter, if it is not open,
    /// if it was redriven already, or if the body is not an envelope or has another event id. Also
    /// the [errors of every operation](SqlDeadLetterQueue), and the errors of
    /// [`EventBus::redrive_letter`](event_sdk::EventBus::redrive_letter).
    pub async fn edit_and_redrive(
        &self,
        id: u64,
        body: impl Into<Bytes>,
        audit: &Audit,
    ) -> Result<(), Error> {
        let body = body.into();
        let (stored, _) = self.editable(id, &body).await?;
        match self.send(&stored, Some(body), audit).await? {
            Resent::Earlier { is_same: false, .. } => Err(refused(
                id,
                "it was redriven already; its next letter, if it fails again, can be edited",
            )),
            _ => Ok(()),
        }
    }

    /// Makes the checks that [`edit_and_redrive`](Self::edit_and_redrive) makes before it sends the
    /// event, and returns the edited envelope.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if there is no such letter, if it is not open,
    /// or if the body is not an envelope or has another event id. Also the errors of every
    /// [operation](SqlDeadLetterQueue).
    pub async fn check_edit(&self, id: u64, body: &Bytes) -> Result<RawEnvelope, Error> {
        Ok(self.editable(id, body).await?.1)
    }

    /// An open letter, and its edited envelope.
    async fn editable(&self, id: u64, body: &Bytes) -> Result<(QueuedLetter, RawEnvelope), Error> {
        let Some(stored) = self.show(id).await? else {
            return Err(refused(id, "there is no letter with this id"));
        };
        let edited = self.bus.check_edited_letter(id, &stored.letter, body)?;
        let status = &stored.state.status;
        if *status != LetterStatus::Open {
            let why = format!("its status is {:?}", status.as_str());
            return Err(refused(id, &why));
        }
        Ok((stored, edited))
    }

    /// Sends one letter, and marks it.
    async fn send(
        &self,
        stored: &QueuedLetter,
        edited: Option<Bytes>,
        audit: &Audit,
    ) -> Result<Resent, Error> {
        let (id, letter) = (stored.id, &stored.letter);
        let sent = self
            .bus
            .redrive_letter(&self.place, id, letter, edited, audit);
        let sent = sent.await?;
        let sequence = match sent {
            Resent::Now { sequence } | Resent::Earlier { sequence, .. } => sequence,
            _ => None,
        };
        if stored.state.status == LetterStatus::Open {
            let now = self.bus.clock().now();
            let mut state = LetterState::since(LetterStatus::Redriven, now, audit);
            state.retry_sequence = sequence;
            // If it has another status meanwhile, it was marked by another command.
            self.set_state(id, &LetterStatus::Open, &state).await?;
        }
        Ok(sent)
    }
}

fn refused(id: u64, why: &str) -> Error {
    let reason = format!("letter {id}: {why}");
    Error::new(ErrorKind::InvalidOption, Operation::Publish, reason)
}

/// A redrive of letters: set options, then await it. [`SqlDeadLetterQueue::redrive`] returns it.
///
/// Nothing is sent before the first poll. Cancel-safe in the sense that a redrive can be repeated:
/// each letter is sent once.
///
/// Awaiting it fails with the kinds of every [operation](SqlDeadLetterQueue) and of
/// [`EventBus::redrive_letter`](event_sdk::EventBus::redrive_letter). Letters that were sent before
/// the failure are marked as redriven.
#[must_use = "nothing is redriven until this is awaited"]
pub struct SqlRedrive<DB: InboxDatabase> {
    queue: SqlDeadLetterQueue<DB>,
    filter: LetterFilter,
    audit: Audit,
    per_second: Option<NonZeroU32>,
    dry_run: bool,
}

impl<DB: InboxDatabase> SqlRedrive<DB> {
    /// Records by whom and why the letters are redriven, in the headers of the events and in the
    /// letters.
    pub fn audit(mut self, audit: Audit) -> Self {
        self.audit = audit;
        self
    }

    /// Sends at most this many events a second, at even intervals. Default: zero, no limit.
    pub fn per_second(mut self, events: u32) -> Self {
        self.per_second = NonZeroU32::new(events);
        self
    }

    /// Only counts: nothing is sent or marked, and the report has only
    /// [`selected`](RedriveReport::selected).
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Runs the redrive, as awaiting it does, and calls `each` after each letter with two numbers:
    /// the letters done so far, and the letters selected. Use this to show the progress of a long
    /// redrive.
    ///
    /// Cancel-safe as [the redrive](Self).
    ///
    /// # Errors
    ///
    /// The errors that awaiting it returns.
    pub async fn watched(self, each: &mut LetterProgress<'_>) -> Result<RedriveReport, Error> {
        let Self { queue, filter, .. } = &self;
        let selected = queue.matching(filter).await?;
        let selected = selected.into_iter().filter(may_be_sent);
        let mut report = RedriveReport::default();
        report.selected = selected.map(|letter| letter.id).collect();
        if self.dry_run {
            return Ok(report);
        }
        let clock = queue.bus.clock();
        let start = clock.monotonic();
        let mut sent: u32 = 0;
        let all = report.selected.len() as u64;
        for (done, id) in (0..).zip(report.selected.clone()) {
            if done > 0 {
                each(done, all);
            }
            // Another command may have changed it since it was selected.
            let is_selected = |now: &QueuedLetter| {
                let now = now.summary();
                filter.matches(&now) && may_be_sent(&now)
            };
            let Some(stored) = queue.show(id).await?.filter(is_selected) else {
                report.changed.push(id);
                continue;
            };
            if let Some(rate) = self.per_second {
                let due = Duration::from_secs(1).saturating_mul(sent) / rate.get();
                clock.sleep_until(start.saturating_add(due)).await;
            }
            sent = sent.saturating_add(1);
            match queue.send(&stored, None, &self.audit).await {
                Ok(Resent::Now { .. }) => report.redriven.push(id),
                Ok(_) => report.already.push(id),
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

impl<DB: InboxDatabase> IntoFuture for SqlRedrive<DB> {
    type Output = Result<RedriveReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.watched(&mut |_, _| {}).await })
    }
}

impl<DB: InboxDatabase> fmt::Debug for SqlRedrive<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRedrive")
            .field("filter", &self.filter)
            .field("audit", &self.audit)
            .field("per_second", &self.per_second)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

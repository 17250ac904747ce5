//! Dead letters: events that a consumer has given up, and the stores that keep them.
//!
//! A consumer takes a [`DeadLetters`]: a stream of the transport, memory, a closure, or any
//! [`DeadLetterStore`].
//!
//! ```
//! use event_sdk::dead_letters::{DeadLetters, MemoryDeadLetters};
//!
//! let in_a_stream = DeadLetters::stream("DLQ");
//! let letters = MemoryDeadLetters::new();
//! let in_a_test = DeadLetters::memory(&letters);
//! let elsewhere = DeadLetters::with(|letter| async move {
//!     eprintln!("given up: {letter:?}");
//!     Ok::<_, std::io::Error>(())
//! });
//! ```
//!
//! `docs/dead-letters.md` specifies the subjects and headers in the stream, for clients in other
//! languages.

mod area;
mod class;
mod letter;
mod place;
mod subjects;

mod escaping;
mod redriven;
mod wire;

mod outgoing;
mod owned;
mod parts;
mod whole;

mod closure_store;
mod memory_store;
mod moved_headers;
mod store;
mod stream_store;

mod audit;
mod marks;
mod state;
mod takeovers;

mod resend;

mod export;
mod park;
mod queue;
mod workflow;

mod advisories;

pub use advisories::{AdvisoryLetter, AdvisoryLetters, AdvisoryReport};
pub(crate) use area::bounded_key;
pub use audit::Audit;
pub use class::DeadLetterClass;
pub use export::ExportedLetter;
pub use letter::{DeadLetter, Origin};
pub use memory_store::MemoryDeadLetters;
pub(crate) use park::Requests;
pub use park::{DeadKey, KeyState, Park, ParkedEvent, ReleaseOutcome, ReleaseRequest};
pub use place::DeadLetterStream;
pub use queue::{
    Cause, CauseGroup, DeadLetterQueue, LetterFilter, LetterSummary, Page, PurgeReport,
    QueuedLetter, Redrive, RedriveOutcome, RedriveReport,
};
pub use redriven::Redriven;
pub use resend::Resent;
pub use state::{LetterState, LetterStatus};
pub use store::{DeadLetterStore, GivenUp};
pub use stream_store::StreamDeadLetters;
pub use workflow::{LetterFuture, LetterProgress, LetterWorkflow, RedriveOptions};

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::bus::EventBus;
use closure_store::ClosureDeadLetters;

/// Where a consumer keeps its dead letters, and whether a dead letter stops the later events of its
/// key ([`sequenced`](Self::sequenced)). Clones share the store.
#[derive(Clone)]
pub struct DeadLetters {
    kind: Kind,
    sequenced: bool,
}

#[derive(Clone)]
enum Kind {
    Stream(DeadLetterStream),
    Store {
        store: Arc<dyn DeadLetterStore>,
        retries: Option<DeadLetterStream>,
    },
}

impl DeadLetters {
    /// Keeps letters in a stream of the bus. `place` is a name, or a [`DeadLetterStream`]. The docs
    /// of [`DeadLetterStream`] show how to declare the stream.
    #[must_use]
    pub fn stream(place: impl Into<DeadLetterStream>) -> Self {
        Self::of(Kind::Stream(place.into()))
    }

    /// Keeps letters in memory, for tests.
    #[must_use]
    pub fn memory(letters: &MemoryDeadLetters) -> Self {
        Self::store(letters.clone())
    }

    /// Passes letters to a closure. The consumer may pass a letter to the closure again, if the
    /// result of the first call was lost. The closure must not store such a letter a second time.
    ///
    /// If the closure fails or panics, the consumer keeps the event, and tries again.
    #[must_use]
    pub fn with<F, Fut, E>(put: F) -> Self
    where
        F: Fn(DeadLetter) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self::store(ClosureDeadLetters(put))
    }

    /// Keeps letters in any store.
    #[must_use]
    pub fn store(store: impl DeadLetterStore) -> Self {
        Self::of(Kind::Store {
            store: Arc::new(store),
            retries: None,
        })
    }

    /// Lets the consumer receive events that [`redrive_letter`](EventBus::redrive_letter) sends
    /// again from a store. `redrive_letter` publishes these events to a *retry stream*, and the
    /// consumer reads them from there. It is the retry stream of `place`: of the
    /// [`DeadLetterStream`] with this name, or of the given one. Letters in a
    /// [stream](Self::stream) already have a retry stream.
    #[must_use]
    pub fn retried_through(mut self, place: impl Into<DeadLetterStream>) -> Self {
        if let Kind::Store { retries, .. } = &mut self.kind {
            *retries = Some(place.into());
        }
        self
    }

    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            sequenced: false,
        }
    }

    /// Lets a dead letter hold its key (*sequenced mode*): later events of the key are then not
    /// handled. They wait in the [`Park`] of the key, in the dead-letter stream. They wait until an
    /// operator [redrives](DeadLetterQueue::redrive) the letter, or gives it up
    /// ([`skip_head`](Park::skip_head), [`drop_key`](Park::drop_key)). The consumer then handles
    /// the waiting events, in order, before newer events of the key. By default, a dead letter does
    /// not stop later events.
    ///
    /// This mode needs letters in a [stream](Self::stream), and a consumer with
    /// [`ordered_by_key`](crate::consumer::Consumer::ordered_by_key) and
    /// [`single_active`](crate::consumer::Consumer::single_active); otherwise the consumer does not
    /// start. The dead-letter stream must not drop messages because of a limit ([`Park::verify`]).
    ///
    /// Two kinds of letters do not hold a key. The letter of an event without a key has no key to
    /// hold. The letter of an unknown event ([`UnknownEvent`](DeadLetterClass::UnknownEvent)) does
    /// not hold its key, because later events of the key were already handled while the unknown
    /// event waited for a newer version.
    #[must_use]
    pub const fn sequenced(mut self) -> Self {
        self.sequenced = true;
        self
    }

    /// Whether a dead letter [holds its key](Self::sequenced).
    #[must_use]
    pub const fn is_sequenced(&self) -> bool {
        self.sequenced
    }

    /// Opens the store on this bus.
    #[must_use]
    pub fn open(&self, bus: &EventBus) -> Arc<dyn DeadLetterStore> {
        match &self.kind {
            Kind::Stream(place) => Arc::new(StreamDeadLetters::new(bus, place.clone())),
            Kind::Store { store, .. } => Arc::clone(store),
        }
    }

    /// The dead-letter stream, if letters are kept in a stream. The consumer then reads redriven
    /// events from the retry stream of this stream.
    #[must_use]
    pub fn place(&self) -> Option<&DeadLetterStream> {
        match &self.kind {
            Kind::Stream(place) => Some(place),
            Kind::Store { .. } => None,
        }
    }

    /// The [`DeadLetterStream`] whose retry stream stores the redriven events; `None` if there is
    /// no retry stream.
    #[must_use]
    pub fn retries(&self) -> Option<&DeadLetterStream> {
        match &self.kind {
            Kind::Stream(place) => Some(place),
            Kind::Store { retries, .. } => retries.as_ref(),
        }
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DeadLetters");
        match &self.kind {
            Kind::Stream(place) => shown.field("place", place),
            Kind::Store { store, .. } => shown.field("store", store),
        };
        shown.field("sequenced", &self.sequenced).finish()
    }
}

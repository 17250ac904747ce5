//! `Held`: an event that a consumer holds, from its delivery to its settlement; `Shared`: what all
//! held events of a consumer have in common.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use event_sdk_core::EnvelopeHeader;
use event_sdk_core::text::Text;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::activity::Activity;
use crate::bus::EventBus;
use crate::dead_letters::{ParkedEvent, Redriven};
use crate::observer::EventEnd;
use crate::partition::OwnerEpoch;
use crate::raw::Untyped;
use crate::subscribe::Delivery;

/// What the handlers of one consumer share.
pub(super) struct Shared {
    pub(super) bus: EventBus,
    pub(super) name: Text,
    pub(super) replay: bool,
    pub(super) handler_timeout: Option<Duration>,
    /// With one owner: the ownership.
    pub(super) owner: Option<OwnerEpoch>,
    /// Whether the consumer receives.
    pub(super) ready: watch::Sender<bool>,
    /// Whether the consumer is ending.
    pub(super) ending: watch::Sender<bool>,
    /// Whether it has anything to do.
    pub(super) activity: Arc<Activity>,
    /// The metadata that published events take over from their cause.
    pub(super) inherits: Arc<[Text]>,
}

impl Shared {
    /// The consumer is ending. Readiness ends first.
    pub(super) fn end(&self) {
        self.ready.send_if_modified(std::mem::take);
        self.ending.send_replace(true);
    }
}

/// An event that a consumer holds.
pub(super) struct Held {
    delivery: Delivery<Untyped>,
    /// Its origin, if it was redriven.
    redriven: Option<Box<Redriven>>,
    /// Its place in the park, if it comes from there.
    parked: Option<Box<Parked>>,
    shared: Arc<Shared>,
    /// The key in whose order it is handled.
    key: Option<Arc<str>>,
    /// Whether its handler found that it was done before.
    done_before: AtomicBool,
    /// Whether an attempt has published: most never do, and need no lock then.
    has_published: AtomicBool,
    /// How many events of each type the current attempt has published.
    published: Mutex<Vec<(&'static str, u32)>>,
}

/// The place of an event in the park.
pub(super) struct Parked {
    pub(super) event: ParkedEvent,
    /// The dead-letter stream.
    pub(super) stream: Text,
}

impl Held {
    pub(super) fn new(
        delivery: Delivery<Untyped>,
        redriven: Option<Box<Redriven>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            delivery,
            redriven,
            parked: None,
            shared,
            key: None,
            done_before: AtomicBool::new(false),
            has_published: AtomicBool::new(false),
            published: Mutex::default(),
        }
    }

    /// It comes from the park.
    pub(super) fn in_park(mut self, parked: Parked) -> Self {
        self.parked = Some(Box::new(parked));
        self
    }

    /// Its place in the park, if it comes from there.
    pub(super) fn parked(&self) -> Option<&Parked> {
        self.parked.as_deref()
    }

    pub(super) fn delivery(&self) -> &Delivery<Untyped> {
        &self.delivery
    }

    /// It is handled in the order of this key.
    pub(super) fn in_order_of(&mut self, key: Arc<str>) {
        self.key = Some(key);
    }

    /// The key in whose order it is handled.
    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Its handler found that it was done before.
    pub(super) fn note_done_before(&self) {
        self.done_before.store(true, Ordering::Relaxed);
    }

    /// How an event ends whose handler succeeded.
    pub(super) fn success(&self) -> EventEnd {
        if self.done_before.load(Ordering::Relaxed) {
            EventEnd::DoneBefore
        } else {
            EventEnd::Handled
        }
    }

    /// Its origin, if it was redriven.
    pub(super) fn redriven(&self) -> Option<&Redriven> {
        self.redriven.as_deref()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The envelope. Only events whose envelope was read have a handler.
    pub(super) fn envelope(&self) -> &EnvelopeHeader {
        static NONE: LazyLock<EnvelopeHeader> = LazyLock::new(|| {
            EnvelopeHeader::new(Uuid::nil(), Text::from_static(""), Timestamp::UNIX_EPOCH)
        });
        self.delivery.head().unwrap_or_else(|_| &NONE)
    }

    /// The place of an event of this type among those that the attempt publishes, from zero.
    pub(super) fn next_ordinal(&self, event: &'static str) -> u32 {
        self.has_published.store(true, Ordering::Release);
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = published.iter_mut().find(|(name, _)| *name == event);
        if let Some((_, count)) = known {
            *count = count.saturating_add(1);
            return *count;
        }
        published.push((event, 0));
        0
    }

    /// Begins to count published events anew, for another attempt.
    pub(super) fn begin_attempt(&self) {
        if !self.has_published.load(Ordering::Acquire) {
            return;
        }
        self.has_published.store(false, Ordering::Release);
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        published.clear();
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.delivery).finish()
    }
}

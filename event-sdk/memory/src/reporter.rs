//! `Reporter`: what a consumer reports, and the desk that passes it on when no stream is locked.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use jiff::Timestamp;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Advisory, AdvisoryKind};

/// Receives the reports about consumers.
pub(super) trait Audience: fmt::Debug + Send + Sync {
    /// Passes a report on; no stream is locked.
    fn tell(&self, report: &Report);

    /// Those who wait, to be woken since a connection has ended.
    fn waiting(&self) -> Vec<Waker>;

    /// The last connection was closed.
    fn close(&self);
}

/// Where reports of all streams go.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Set when the streams are there, which it may tell.
    audience: OnceLock<Arc<dyn Audience>>,
    unnamed: AtomicU64,
}

/// What one consumer reports to.
#[derive(Debug)]
pub(super) struct Reporter {
    desk: Arc<Desk>,
    stream: Text,
    consumer: Text,
}

/// Something that happened to a message of a consumer.
#[derive(Debug)]
pub(super) struct Report {
    reporter: Arc<Reporter>,
    kind: AdvisoryKind,
    sequence: u64,
    deliveries: u32,
    reason: Option<String>,
}

impl Desk {
    pub(super) fn set(&self, audience: Arc<dyn Audience>) {
        let _ = self.audience.set(audience);
    }

    /// What a consumer reports to. One without a name gets one that no other has.
    pub(super) fn reporter(
        self: &Arc<Self>,
        stream: &Text,
        consumer: Option<&str>,
    ) -> Arc<Reporter> {
        let number = || self.unnamed.fetch_add(1, Ordering::Relaxed);
        let consumer = match consumer {
            Some(name) => Text::copy_of(name),
            None => format!("ephemeral-{}", number()).into(),
        };
        Arc::new(Reporter {
            desk: Arc::clone(self),
            stream: stream.clone(),
            consumer,
        })
    }

    /// Those who wait for advisories.
    pub(super) fn waiting(&self) -> Vec<Waker> {
        let audience = self.audience.get();
        audience.map_or_else(Vec::new, |audience| audience.waiting())
    }

    /// The last connection was closed.
    pub(super) fn close(&self) {
        if let Some(audience) = self.audience.get() {
            audience.close();
        }
    }
}

impl Reporter {
    /// A report, to be [told](Report::tell) when no stream is locked.
    pub(super) fn report(
        self: &Arc<Self>,
        kind: AdvisoryKind,
        sequence: u64,
        deliveries: u32,
        reason: Option<&str>,
    ) -> Report {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        Report {
            reporter: Arc::clone(self),
            kind,
            sequence,
            deliveries,
            reason: reason.map(str::to_owned),
        }
    }
}

impl Report {
    /// Passes it on.
    pub(super) fn tell(&self) {
        if let Some(audience) = self.reporter.desk.audience.get() {
            audience.tell(self);
        }
    }

    /// The advisory of a server that says it.
    pub(super) fn advisory(&self, time: Timestamp) -> Advisory {
        let Reporter {
            stream, consumer, ..
        } = &*self.reporter;
        let deliveries = self.deliveries.into();
        let (stream, consumer) = (stream.clone(), consumer.clone());
        let mut advisory =
            Advisory::new(self.kind, stream, consumer, self.sequence, deliveries, time);
        advisory.reason.clone_from(&self.reason);
        advisory
    }
}

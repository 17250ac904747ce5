//! `Thresholds`: the limits beyond which a service is degraded.

use std::time::Duration;

/// The limits beyond which a service is [degraded](super::Status::Degraded). No limit changes
/// readiness.
///
/// ```
/// use std::time::Duration;
/// use event_sdk_observe::health::Thresholds;
///
/// let mut thresholds = Thresholds::default();
/// thresholds.lag_events = Some(50_000);
/// thresholds.lag_time = Some(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// The maximum number of unsettled events of a durable. Default: 1,000.
    pub lag_events: Option<u64>,
    /// The maximum age of the oldest unsettled event of a durable. Default: 5 minutes.
    pub lag_time: Option<Duration>,
    /// How long a durable may make no progress: it has events to deliver, the connection exists,
    /// and no event is delivered or settled. This must be longer than the longest time limit of a
    /// handler of the service. Default: 60 s, twice the default time limit.
    pub stuck_after: Option<Duration>,
    /// For a stream that refuses messages beyond its limits: how full it may be, in percent of its
    /// maximum of bytes or messages. A stream that drops its oldest messages is full in normal
    /// operation, so this limit does not apply to it. Default: 90.
    pub stream_full_percent: Option<u8>,
    /// The service becomes degraded when a certificate of the connection expires within this time.
    /// Default: 14 days.
    pub certificate_expiry: Option<Duration>,
    /// The maximum number of messages in a dead-letter stream. Default: 100.
    pub dead_letters: Option<u64>,
    /// The maximum number of rows of an outbox that wait to be published. Default: 1,000.
    pub outbox_depth: Option<u64>,
    /// The maximum age of the oldest row of an outbox that waits to be published. Default: 60 s.
    pub outbox_age: Option<Duration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            lag_events: Some(1_000),
            lag_time: Some(Duration::from_secs(5 * 60)),
            stuck_after: Some(Duration::from_secs(60)),
            stream_full_percent: Some(90),
            certificate_expiry: Some(Duration::from_secs(14 * 24 * 60 * 60)),
            dead_letters: Some(100),
            outbox_depth: Some(1_000),
            outbox_age: Some(Duration::from_secs(60)),
        }
    }
}

impl Thresholds {
    /// Sets no limits: lag, dead letters and outboxes are reported, but do not degrade the service.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            lag_events: None,
            lag_time: None,
            stuck_after: None,
            stream_full_percent: None,
            certificate_expiry: None,
            dead_letters: None,
            outbox_depth: None,
            outbox_age: None,
        }
    }
}

//! `Options`: the settings of a relay, their defaults, and the checks between them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{InvalidRetry, Retry};

use super::loss::StreamLoss;

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) lease: Duration,
    pub(super) publish_timeout: Duration,
    pub(super) duplicate_window: Duration,
    pub(super) retry: Retry,
    pub(super) max_in_flight: usize,
    pub(super) batch: u32,
    pub(super) idle_poll: Duration,
    pub(super) keep_published: Duration,
    pub(super) clean_batch: u32,
    pub(super) drain_within: Duration,
    pub(super) repair_within: Duration,
    pub(super) on_stream_loss: Option<OnStreamLoss>,
}

/// What is called for a loss.
#[derive(Clone)]
pub(super) struct OnStreamLoss(pub(super) Arc<dyn Fn(&StreamLoss) + Send + Sync>);

impl fmt::Debug for OnStreamLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnStreamLoss")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            publish_timeout: Duration::from_secs(5),
            duplicate_window: Duration::from_secs(120),
            retry: Retry::at_least_once(),
            max_in_flight: 256,
            batch: 500,
            idle_poll: Duration::from_millis(200),
            keep_published: Duration::from_secs(24 * 60 * 60),
            clean_batch: 1_000,
            drain_within: Duration::from_secs(10),
            repair_within: Duration::from_secs(10 * 60),
            on_stream_loss: None,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<(), InvalidRelay> {
        for (name, zero) in [
            ("lease", self.lease.is_zero()),
            ("publish_timeout", self.publish_timeout.is_zero()),
            ("max_in_flight", self.max_in_flight == 0),
            ("batch", self.batch == 0),
            ("idle_poll", self.idle_poll.is_zero()),
            ("clean_batch", self.clean_batch == 0),
        ] {
            if zero {
                return Err(InvalidRelay::Zero(name));
            }
        }
        if self.publish_timeout.saturating_mul(2) > self.lease {
            return Err(InvalidRelay::LeaseTooShort {
                lease: self.lease,
                publish_timeout: self.publish_timeout,
            });
        }
        if self.lease.saturating_add(self.publish_timeout) >= self.duplicate_window {
            return Err(InvalidRelay::LeaseTooLong {
                lease: self.lease,
                publish_timeout: self.publish_timeout,
                duplicate_window: self.duplicate_window,
            });
        }
        if self.keep_published < self.duplicate_window {
            return Err(InvalidRelay::KeptTooShort {
                keep_published: self.keep_published,
                duplicate_window: self.duplicate_window,
            });
        }
        self.retry.check().map_err(InvalidRelay::Retry)
    }

    /// The time after a confirmation within which a row may be published again: the duplicate window
    /// less a tenth.
    pub(super) fn resend_window(&self) -> Duration {
        self.duplicate_window
            .saturating_sub(self.duplicate_window / 10)
    }

    /// The time after a confirmation at which a row may be sent again at the latest, for the server has
    /// to get it within the duplicate window.
    pub(super) fn latest_resend(&self) -> Duration {
        let latest = self.duplicate_window.saturating_sub(self.publish_timeout);
        latest.max(self.resend_window())
    }

    /// Confirmed rows that may wait for their marks before no more rows are sent.
    pub(super) fn max_unmarked(&self) -> usize {
        self.batch_rows() * 4
    }

    /// Rows that wait to be sent before no more are read.
    pub(super) fn max_queued(&self) -> usize {
        self.batch_rows() * 4
    }

    /// Keys with rows, and rows without a key that wait for the end of an outage, before no more are
    /// read.
    pub(super) fn max_lanes(&self) -> usize {
        self.batch_rows() * 40
    }

    /// Rows of one key that wait to be sent; the others stay in the store.
    pub(super) fn room_of_key(&self) -> usize {
        (self.batch_rows() / 8).max(4)
    }

    /// Rows that are read and marked at once.
    pub(super) fn batch_rows(&self) -> usize {
        usize::try_from(self.batch).unwrap_or(usize::MAX)
    }
}

/// Why a relay cannot run with its options.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidRelay {
    /// The option of this name is zero.
    Zero(&'static str),
    /// The lease is shorter than two publish timeouts, so that hardly any time to send would remain.
    LeaseTooShort {
        /// The lease.
        lease: Duration,
        /// The publish timeout.
        publish_timeout: Duration,
    },
    /// Lease and publish timeout together are not below the duplicate window: when another relay
    /// takes a shard over, a stream would store some of its rows twice.
    LeaseTooLong {
        /// The lease.
        lease: Duration,
        /// The publish timeout.
        publish_timeout: Duration,
        /// The duplicate window.
        duplicate_window: Duration,
    },
    /// Published rows are kept for less than the duplicate window.
    KeptTooShort {
        /// How long rows are kept.
        keep_published: Duration,
        /// The duplicate window.
        duplicate_window: Duration,
    },
    /// The retry policy is invalid.
    Retry(InvalidRetry),
}

impl fmt::Display for InvalidRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(name) => write!(f, "`{name}` of the relay is zero; give more"),
            Self::LeaseTooShort {
                lease,
                publish_timeout,
            } => write!(
                f,
                "the lease of the relay ({lease:?}) is shorter than two publish timeouts ({publish_timeout:?} each); nothing is sent within a publish timeout before the end of the lease, so give a longer lease or a shorter timeout"
            ),
            Self::LeaseTooLong {
                lease,
                publish_timeout,
                duplicate_window,
            } => write!(
                f,
                "lease ({lease:?}) and publish timeout ({publish_timeout:?}) of the relay are together not below the duplicate window ({duplicate_window:?}); rows that another relay takes over would be stored twice"
            ),
            Self::KeptTooShort {
                keep_published,
                duplicate_window,
            } => write!(
                f,
                "published rows are kept for {keep_published:?}, which is less than the duplicate window ({duplicate_window:?}); rows of that time may have to be published again"
            ),
            Self::Retry(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for InvalidRelay {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Options)) -> String {
        let mut options = Options::default();
        change(&mut options);
        options
            .check()
            .map_or_else(|why| why.to_string(), |()| String::new())
    }

    #[test]
    fn the_defaults_fit_together() {
        assert_eq!(refused(|_| {}), "");
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let secs = Duration::from_secs;
        assert!(refused(|options| options.batch = 0).contains("`batch`"));
        assert!(refused(|options| options.lease = secs(9)).contains("two publish timeouts"));
        assert!(refused(|options| options.lease = secs(115)).contains("stored twice"));
        assert!(refused(|options| options.keep_published = secs(60)).contains("duplicate window"));
        let never = Retry::none().max_attempts(2);
        assert!(refused(|options| options.retry = never).contains("Retry::none"));
    }
}

//! `Options`: the settings of a consumer that its engine follows.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

use event_sdk_core::EnvelopeHeader;

use super::{ProbeInterval, Retry};
use crate::dead_letters::Park;

/// The scope of an event at the circuit breaker.
pub(super) type BreakerBy = Arc<dyn Fn(&EnvelopeHeader) -> String + Send + Sync>;

/// The park of a consumer.
#[derive(Debug, Clone)]
pub(super) struct ParkOptions {
    pub(super) park: Arc<Park>,
    /// Whether a dead letter holds its key.
    pub(super) sequenced: bool,
}

/// The settings of a consumer beside those of its subscription.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the builder, and independent of the others"
)]
pub(super) struct Options {
    pub(super) concurrency: usize,
    pub(super) ordered: bool,
    pub(super) retry: Retry,
    pub(super) probe_interval: ProbeInterval,
    pub(super) handler_timeout: Option<Duration>,
    pub(super) keep_alive_for: Duration,
    pub(super) drain_within: Duration,
    pub(super) accept_max_deliver: bool,
    pub(super) replay: bool,
    /// The term of the lease of the one owner, if there is only one.
    pub(super) single_active: Option<Duration>,
    /// Whether one acknowledgement settles everything before it.
    pub(super) ack_all: bool,
}

impl Options {
    pub(super) const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);
    pub(super) const KEEP_ALIVE_FOR: Duration = Duration::from_secs(3600);
    pub(super) const DRAIN_WITHIN: Duration = Duration::from_secs(25);
    /// A crashed owner is replaced after 17 seconds.
    pub(super) const LEASE_TERM: Duration = Duration::from_secs(15);
    const LEASE_TERMS: RangeInclusive<Duration> =
        Duration::from_millis(100)..=Duration::from_secs(3_600);

    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`] with the first option that cannot be followed.
    pub(super) fn check(&self) -> Result<(), Error> {
        let reason = if let Err(invalid) = self.retry.check() {
            invalid.to_string()
        } else if let Err(invalid) = self.probe_interval.check() {
            invalid.to_string()
        } else if self
            .single_active
            .is_some_and(|term| !Self::LEASE_TERMS.contains(&term))
        {
            "the term of the lease of single_active has to be between 100 ms and an hour".to_owned()
        } else if self.ack_all && self.single_active.is_none() {
            "ack_all needs single_active: an acknowledgement would also settle events that another instance has".to_owned()
        } else if self.ack_all && self.accept_max_deliver {
            "ack_all beside accept_max_deliver: an event that the server gives up is settled by nobody, and no later one could be acknowledged; leave out one of them".to_owned()
        } else if self.concurrency == 0 {
            "concurrency(0) would never handle anything; use 1 or more".to_owned()
        } else if self.handler_timeout == Some(Duration::ZERO) {
            "handler_timeout of zero would end every handler before it starts; use a longer one, or no_handler_timeout()".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::InvalidOption,
            Operation::Configure,
            reason,
        ))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 1,
            ordered: false,
            retry: Retry::default(),
            probe_interval: ProbeInterval::default(),
            handler_timeout: Some(Self::HANDLER_TIMEOUT),
            keep_alive_for: Self::KEEP_ALIVE_FOR,
            drain_within: Self::DRAIN_WITHIN,
            accept_max_deliver: false,
            replay: false,
            single_active: None,
            ack_all: false,
        }
    }
}

//! Adaptive prefetch: how many messages may wait in the client, from the measured rate at which
//! the caller takes and settles them.
//!
//! Nothing in here reads a clock. Times are passed in, as durations since the subscription began.

mod meter;

use std::time::Duration;

use self::meter::Meter;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, Prefetch};

/// How long a message waits in the client, at the measured rate.
const WAIT: Duration = Duration::from_millis(250);

/// The most messages that wait in the client.
const MOST: u32 = 1000;

/// A message waits and is handled within this part of its ack wait.
const PART_OF_ACK_WAIT: u32 = 3;

/// Decides how many messages a subscription prefetches.
#[derive(Debug, Clone)]
pub(super) enum Window {
    /// A number that does not change.
    Fixed(u32),
    /// No message is requested before the caller waits for it.
    OnDemand,
    /// The number follows the measured rate.
    Adaptive(Box<Adaptive>),
}

impl Window {
    pub(super) fn new(prefetch: Prefetch, config: &ConsumerConfig) -> Self {
        match prefetch {
            Prefetch::Fixed(messages) => Self::Fixed(u32::try_from(messages).unwrap_or(u32::MAX)),
            // A delivery that is not handed out would count too.
            Prefetch::Adaptive if config.max_deliver.is_some() => Self::OnDemand,
            Prefetch::Adaptive => Self::Adaptive(Box::new(Adaptive::new(config))),
        }
    }

    /// The caller asks for a message.
    pub(super) fn called(&mut self, now: Duration) {
        if let Self::Adaptive(adaptive) = self {
            adaptive.called(now);
        }
    }

    /// In total, this many deliveries have been settled or dropped, the last one at this time.
    pub(super) fn settled(&mut self, total: u64, last: Duration) {
        if let Self::Adaptive(adaptive) = self {
            adaptive.settled(total, last);
        }
    }

    /// A message has come.
    pub(super) fn arrived(&mut self) {
        if let Self::Adaptive(adaptive) = self {
            adaptive.arrived();
        }
    }

    /// A message was handed out.
    pub(super) fn handed_out(&mut self, now: Duration) {
        if let Self::Adaptive(adaptive) = self {
            adaptive.handed_out(now);
        }
    }

    /// A request for this many messages ended and brought that many fewer.
    pub(super) fn unserved(&mut self, asked: u32, left: u32) {
        if let Self::Adaptive(adaptive) = self {
            adaptive.unserved(asked, left);
        }
    }

    /// How many messages may have been requested and not handed out; with zero, one is requested
    /// when the caller waits.
    pub(super) fn size(&mut self, now: Duration) -> u32 {
        match self {
            Self::Fixed(messages) => *messages,
            Self::OnDemand => 0,
            Self::Adaptive(adaptive) => adaptive.size(now),
        }
    }

    /// Whether requests are sized to what comes; a fixed number is requested whole.
    pub(super) fn is_adaptive(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }
}

/// The state of an adaptive window.
///
/// The rate limits it, and it grows to that limit step by step: it doubles each time as many
/// messages have come as it holds, and halves when a request ends with most of it unserved. So a
/// request that is open while nothing comes is for few messages, and a caller whose first
/// messages were quick gets few more before the next measurement.
#[derive(Debug, Clone)]
pub(super) struct Adaptive {
    most: u32,
    /// How long a message may wait.
    wait: Duration,
    /// The same if it is the only one.
    wait_of_one: Duration,
    /// How large the window is unless the rate limits it.
    grown: u32,
    /// How many messages have come since it grew.
    came: u32,
    /// From a hand-out to the next call.
    calls: Meter,
    /// When the last message was handed out, unless the caller has called since.
    handed_out: Option<Duration>,
    /// From hand-outs to settlements; `None` where nothing is settled.
    settles: Option<Settles>,
}

#[derive(Debug, Clone)]
struct Settles {
    meter: Meter,
    /// How many deliveries have been handed out.
    handed_out: u64,
    /// How many of them have been settled or dropped.
    settled: u64,
    /// Since when the next settlement is measured.
    since: Duration,
}

impl Settles {
    fn unsettled(&self) -> u64 {
        self.handed_out.saturating_sub(self.settled)
    }

    /// How many are settled per second; `None` if none was.
    fn rate(&self, now: Duration) -> Option<f64> {
        let unsettled = self.unsettled();
        if unsettled == 0 {
            return self.meter.rate();
        }
        // At best all of them are settled now.
        let mut meter = self.meter.clone();
        let known = meter.rate()?;
        meter.add(unsettled, now.saturating_sub(self.since));
        Some(meter.rate().map_or(known, |rate| rate.min(known)))
    }
}

impl Adaptive {
    fn new(config: &ConsumerConfig) -> Self {
        let settles = config.ack != AckPolicy::None;
        let steps = config.backoff.iter().copied();
        let ack_wait = steps.min().unwrap_or(config.ack_wait);
        let wait_of_one = if settles {
            ack_wait / PART_OF_ACK_WAIT
        } else {
            Duration::MAX
        };
        let pending = config.max_ack_pending.filter(|_| settles);
        Self {
            most: pending.map_or(MOST, |pending| pending.get().min(MOST)),
            wait: WAIT.min(wait_of_one),
            wait_of_one,
            grown: 1,
            came: 0,
            calls: Meter::new(WAIT),
            handed_out: None,
            settles: settles.then(|| Settles {
                meter: Meter::new(WAIT),
                handed_out: 0,
                settled: 0,
                since: Duration::ZERO,
            }),
        }
    }

    fn called(&mut self, now: Duration) {
        if let Some(then) = self.handed_out.take() {
            self.calls.add(1, now.saturating_sub(then));
        }
    }

    fn settled(&mut self, total: u64, last: Duration) {
        let Some(settles) = &mut self.settles else {
            return;
        };
        let count = total.saturating_sub(settles.settled);
        if count > 0 {
            settles.meter.add(count, last.saturating_sub(settles.since));
            settles.settled = total;
            settles.since = settles.since.max(last);
        }
    }

    fn arrived(&mut self) {
        self.came += 1;
        if self.came >= self.grown {
            self.came = 0;
            self.grown = self.grown.saturating_mul(2).min(self.most);
        }
    }

    fn handed_out(&mut self, now: Duration) {
        self.handed_out = Some(now);
        if let Some(settles) = &mut self.settles {
            if settles.unsettled() == 0 {
                settles.since = now;
            }
            settles.handed_out += 1;
        }
    }

    fn unserved(&mut self, asked: u32, left: u32) {
        if left > asked / 2 {
            self.grown = (self.grown / 2).max(1);
            self.came = 0;
        }
    }

    fn size(&mut self, now: Duration) -> u32 {
        let limit = self.limit(now);
        self.grown = self.grown.min(limit.saturating_mul(2)).max(1);
        self.grown.min(limit)
    }

    /// As long as nothing was settled: where several are handled at once, half as many wait for
    /// about half as long as each is handled.
    fn unmeasured(&self, settles: &Settles) -> u32 {
        let half = u32::try_from(settles.unsettled() / 2).unwrap_or(u32::MAX);
        half.min(self.most)
    }

    /// As many as are settled within the wait.
    fn limit(&self, now: Duration) -> u32 {
        let calls = self.calls.rate();
        let rate = match &self.settles {
            None => calls,
            Some(settles) => match settles.rate(now) {
                Some(rate) => Some(calls.map_or(rate, |calls| calls.min(rate))),
                None => return self.unmeasured(settles),
            },
        };
        let Some(rate) = rate else {
            return 0;
        };
        if rate * self.wait_of_one.as_secs_f64() < 1.0 {
            return 0;
        }
        let fits = rate * self.wait.as_secs_f64();
        // Saturates where it is more.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is positive, and a cast of a float saturates"
        )]
        let fits = fits as u32;
        fits.clamp(1, self.most)
    }
}

#[cfg(test)]
mod tests;

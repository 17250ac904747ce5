//! `Preset`: settings of a consumer that belong together.

use std::time::Duration;

use event_sdk_core::transport::DeliverPolicy;
use jiff::Timestamp;

use super::Retry;

/// Settings of a consumer that belong together, for [`Consumer::preset`](super::Consumer::preset).
///
/// | preset | retry | ack wait | at most unsettled | starts | replay |
/// |---|---|---|---|---|---|
/// | [`at_least_once`](Self::at_least_once) | 5 attempts; 1, 5, 30, 120 s between them | 30 s | 1,000 | | |
/// | [`low_latency`](Self::low_latency) | 5 attempts; 0.1, 0.2, 0.4, 0.8 s, less up to half | 10 s | 1,000 | | |
/// | [`replay_from_time`](Self::replay_from_time) | | | | at the time | yes |
/// | [`replay_from_sequence`](Self::replay_from_sequence) | | | | at the sequence | yes |
///
/// Options that a preset does not set stay as they are. **An option that is set explicitly takes
/// precedence** over a preset, even if the preset is set later. If two presets set an option, the
/// later preset counts.
///
/// ```
/// use event_sdk::consumer::{Preset, Retry};
/// # use event_sdk::{Event, EventBus};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { id: u64 }
/// # let bus = EventBus::memory();
///
/// // Ack wait 10 s, at most 1,000 unsettled, and no retry.
/// let consumer = bus
///     .consumer::<OrderPlaced>("prices")
///     .retry(Retry::none())
///     .preset(Preset::low_latency());
/// # let _ = consumer;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    pub(super) retry: Option<Retry>,
    pub(super) ack_wait: Option<Duration>,
    pub(super) max_ack_pending: Option<u32>,
    pub(super) deliver: Option<DeliverPolicy>,
    pub(super) replay: bool,
}

impl Preset {
    const NONE: Self = Self {
        retry: None,
        ack_wait: None,
        max_ack_pending: None,
        deliver: None,
        replay: false,
    };

    /// Settings for effects that must happen, such as payments. They are also the defaults of a
    /// consumer. Unlike the defaults, a preset takes precedence over the settings of a
    /// [declared](crate::BusBuilder::consumer) durable.
    #[must_use]
    pub const fn at_least_once() -> Self {
        Self {
            retry: Some(Retry::at_least_once()),
            ack_wait: Some(Duration::from_secs(30)),
            max_ack_pending: Some(1_000),
            ..Self::NONE
        }
    }

    /// Settings for events that soon lose their value, such as prices. Another instance takes over
    /// quickly, and an event that fails is given up soon.
    #[must_use]
    pub const fn low_latency() -> Self {
        Self {
            retry: Some(Retry::low_latency()),
            ack_wait: Some(Duration::from_secs(10)),
            max_ack_pending: Some(1_000),
            ..Self::NONE
        }
    }

    /// Handles old events again, from the first one stored at this time or later;
    /// [`Ctx::is_replay`](super::Ctx::is_replay) is true.
    ///
    /// The start is used only when the durable is created. An existing durable keeps its position,
    /// so each replay needs a consumer with a new name.
    #[must_use]
    pub const fn replay_from_time(start: Timestamp) -> Self {
        Self {
            deliver: Some(DeliverPolicy::ByStartTime(start)),
            replay: true,
            ..Self::NONE
        }
    }

    /// Handles old events again, from this sequence of the stream on, as
    /// [`replay_from_time`](Self::replay_from_time) does.
    #[must_use]
    pub const fn replay_from_sequence(start: u64) -> Self {
        Self {
            deliver: Some(DeliverPolicy::ByStartSequence(start)),
            replay: true,
            ..Self::NONE
        }
    }
}

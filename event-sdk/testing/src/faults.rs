//! `Faults`: the faults that a transport injects and their rates. A seed decides about each fault,
//! and a log lists the injected faults.

mod rates;

mod dice;
mod log;

mod injector;
mod line;
mod settle;

mod deliveries;

mod connection;

pub use connection::FaultyTransport;
pub use injector::Injector;
pub use log::{Fault, Injected};
pub use rates::Rates;

use std::fmt;
use std::sync::Arc;

use event_sdk::time::{Clock, TokioClock};
use event_sdk::transport::Transport;
use tokio::sync::Notify;

use self::dice::Dice;
use self::log::Log;

/// Faults that are injected into the calls of a transport, decided by a seed.
///
/// Each decision depends only on the seed, the kind of fault, and the message (its subject or
/// sequence, and how often it came before). So the same program with the same seed has the same
/// faults. [`Display`](fmt::Display) shows the seed, the rates and the injected faults. The message
/// of a failed assertion of a [`TestBus`](crate::TestBus) ends with this text.
///
/// ```
/// use event_sdk_testing::{Faults, Rates, TestBus};
///
/// let faults = Faults::from_seed(7).rates(Rates::none().lost_ack(0.5));
/// let bus = TestBus::builder().faults(faults).build();
/// // … run the service, and assert what it has published …
/// # drop(bus);
/// ```
///
/// Only faults that the contract of [`Transport`] allows are injected. Real servers and networks
/// cause them too, so a service must tolerate all of them. [`Fault`] lists the kinds.
#[derive(Clone)]
pub struct Faults {
    rates: Rates,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    dice: Dice,
    log: Log,
    /// Told of each crash.
    crash: Notify,
}

impl Faults {
    /// The faults of this seed, each kind with the [default rate](Rates::default).
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self {
            rates: Rates::default(),
            clock: Arc::new(TokioClock::new()),
            shared: Arc::new(Shared {
                dice: Dice::new(seed),
                log: Log::default(),
                crash: Notify::new(),
            }),
        }
    }

    /// Sets how often each kind is injected.
    #[must_use]
    pub fn rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// Sets the clock that measures the delays of deliveries. Default: tokio's clock. A
    /// [`TestBus`](crate::TestBus) sets its own clock.
    #[must_use]
    pub fn on_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Wraps a transport. All transports that are wrapped by the same `Faults` share its decisions
    /// and its log.
    pub fn around<T: Transport>(&self, transport: T) -> FaultyTransport<T> {
        FaultyTransport::new(transport, Injector::new(self.clone()))
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.dice.seed()
    }

    /// The faults that were injected so far, in order.
    #[must_use]
    pub fn injected(&self) -> Vec<Injected> {
        self.shared.log.entries()
    }

    /// The longest time by which a delivery comes later.
    pub(crate) fn longest_delay(&self) -> std::time::Duration {
        self.rates.delay_limit()
    }

    /// Waits for the next [crash](Fault::Crash). After a crash, no call on the crashed connection
    /// has an effect or completes. The test should then drop the service, and start it again on
    /// another connection.
    ///
    /// Cancel-safe. If there were crashes since the last call returned, this call returns at once.
    /// Several such crashes complete only one call.
    pub async fn crashed(&self) {
        self.shared.crash.notified().await;
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faults of the seed {} ({})", self.seed(), self.rates)?;
        let injected = self.injected();
        if injected.is_empty() {
            return f.write_str(": none was injected");
        }
        f.write_str(":")?;
        for one in injected {
            write!(f, "\n  {one}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("seed", &self.seed())
            .field("rates", &self.rates)
            .field("injected", &self.injected().len())
            .finish_non_exhaustive()
    }
}

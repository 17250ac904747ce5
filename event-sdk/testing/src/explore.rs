//! `Explore`: runs a scenario once for each point at which its process may crash, and for each seed
//! of faults, and checks what must hold.

mod points;
mod report;
mod run;
mod scenario;
mod seed;
mod thread_time;
mod watch;

pub use report::{Explored, Failure};
pub use seed::{InvalidSeed, Seed};

use std::env;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;

use self::run::Ended;
use self::scenario::Scenario;
use crate::failure::fail;
use crate::faults::Rates;
use crate::test_bus::{TestBus, TestBusBuilder};

/// A scenario whose crash points are explored.
///
/// A *service* is started on an [`EventBus`], together with a *world* that survives the crashes of
/// the service, such as a database. The scenario first runs undisturbed to count its points. There
/// is a point before and after each call through the bus, before and after each settlement, and
/// before each delivery. Then the scenario runs once for each point, with a crash at that point. In
/// a crash, the service's future and its tasks are dropped in the middle of the call, and the
/// service is started again on a new connection to the same streams. Unsettled events are delivered
/// again after the ack wait. With [`faults`](Self::faults), the scenario also runs once for each
/// seed of faults. All runs take virtual time only.
///
/// The closures of [`always`](Self::always) and [`finally`](Self::finally) check what must hold.
/// They panic if it does not hold, so they can use any assertion. In addition, no run may leave
/// events unsettled, and no run may block its thread. Blocked threads are detected only on Linux.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// use event_sdk::{Event, EventBus};
/// use event_sdk_testing::Explore;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPlaced { #[event(key)] order: u64 }
///
/// /// Stands for a database: the number of invoices by order.
/// #[derive(Default)]
/// struct Database { invoices: Mutex<BTreeMap<u64, u32>> }
///
/// // The code under test.
/// async fn billing(bus: EventBus, database: Arc<Database>) -> Result<(), event_sdk::Error> {
///     let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
///     while let Some(delivery) = orders.next().await {
///         let delivery = delivery?;
///         if let Ok(OrderPlaced { order }) = delivery.decode() {
///             // `+= 1` would make two invoices where the process crashes before the ack.
///             database.invoices.lock().unwrap().entry(order).or_insert(1);
///         }
///         delivery.ack().await?;
///     }
///     Ok(())
/// }
///
/// let explored = Explore::new(Database::default, billing)
///     .given(|bus| async move {
///         for order in 1..=3 {
///             bus.publisher().publish(OrderPlaced { order }).await.unwrap();
///         }
///     })
///     .finally(|database, _| {
///         let invoices = database.invoices.lock().unwrap();
///         assert_eq!(*invoices, BTreeMap::from([(1, 1), (2, 1), (3, 1)]));
///     })
///     .run();
/// explored.assert_holds();
/// assert!(explored.points().len() >= 15);
/// ```
///
/// # What a run repeats
///
/// A run is repeatable from its [`Seed`] if the service is deterministic. So the service must not
/// use real time, random numbers or threads of its own. It must take the branches of
/// `tokio::select!` in a fixed order (`biased`). If a service blocks its thread forever, the run is
/// given up after some seconds, and the thread stays until the test program ends. A failure names
/// its seed. To repeat only that run, use [`replay`](Self::replay) or the environment variable
/// [`Explore::REPLAY_VARIABLE`].
#[must_use = "nothing is explored until `run` is called"]
pub struct Explore<W> {
    scenario: Scenario<W>,
    seeds: Range<u64>,
    rates: Rates,
    crashes: bool,
    replayed: Option<Seed>,
}

impl<W: Send + Sync + 'static> Explore<W> {
    /// The environment variable with the seed of the only run to be made: `EVENT_SDK_REPLAY`.
    pub const REPLAY_VARIABLE: &'static str = "EVENT_SDK_REPLAY";

    /// Creates the scenario of a service. For each run, `world` makes a new world, which survives
    /// the crashes in that run; `service` starts the process. If a service returns or panics while
    /// there are events to be handled, it is started again a second later, as by a supervisor.
    pub fn new<F, R>(
        world: impl Fn() -> W + Send + Sync + 'static,
        service: impl Fn(EventBus, Arc<W>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + 'static,
        R: fmt::Debug,
    {
        Self {
            scenario: Scenario::new(world, service),
            seeds: 0..0,
            rates: Rates::none(),
            crashes: true,
            replayed: None,
        }
    }

    /// Sets the input of the scenario: the closure publishes it before the service starts, on a
    /// connection without faults and crashes.
    pub fn given<F>(mut self, given: impl Fn(EventBus) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        self.scenario.given(given);
        self
    }

    /// Sets how the bus of a run is built: streams, prefix, durables.
    pub fn on_bus(
        mut self,
        bus: impl Fn(TestBusBuilder) -> TestBusBuilder + Send + Sync + 'static,
    ) -> Self {
        self.scenario.on_bus(bus);
        self
    }

    /// Sets a check of what must hold whenever the process ends, also after a crash. The check
    /// panics if it does not hold.
    pub fn always(mut self, check: impl Fn(&W, &TestBus) + Send + Sync + 'static) -> Self {
        self.scenario.always(check);
        self
    }

    /// Sets a check of what must hold at the end of a run, when everything is handled. The check
    /// panics if it does not hold.
    pub fn finally(mut self, check: impl Fn(&W, &TestBus) + Send + Sync + 'static) -> Self {
        self.scenario.finally(check);
        self
    }

    /// Also runs the scenario with the faults of each of these seeds. A
    /// [`Crash`](crate::Fault::Crash) starts the service again.
    pub fn faults(mut self, seeds: Range<u64>, rates: Rates) -> Self {
        self.seeds = seeds;
        self.rates = rates;
        self
    }

    /// Makes no runs with a crash at a point: only the undisturbed run and the runs with faults.
    pub fn without_crash_points(mut self) -> Self {
        self.crashes = false;
        self
    }

    /// Sets how much virtual time a run may take until everything is handled. Default: an hour.
    pub fn within(mut self, time: Duration) -> Self {
        self.scenario.within(time);
        self
    }

    /// Makes only the run of this seed.
    pub fn replay(mut self, seed: Seed) -> Self {
        self.replayed = Some(seed);
        self
    }

    /// Runs the scenario undisturbed, with a crash at each point, and with each seed of faults.
    /// Stops after the first run in which something does not hold.
    ///
    /// The call blocks its thread. It may be made inside and outside of a runtime.
    ///
    /// # Panics
    ///
    /// If the value of [`Explore::REPLAY_VARIABLE`] is not a seed.
    pub fn run(&self) -> Explored {
        let mut explored = Explored::new();
        if let Some(seed) = self.replayed.or_else(of_environment) {
            self.one(seed, &mut explored);
            return explored;
        }
        if self.one(Seed::UNDISTURBED, &mut explored).is_some() {
            return explored;
        }
        let points = if self.crashes {
            u32::try_from(explored.points().len()).unwrap_or(u32::MAX)
        } else {
            0
        };
        let crashes = (1..=points).map(Seed::crash_at);
        let faults = self.seeds.clone().map(Seed::faults);
        for seed in crashes.chain(faults) {
            if self.one(seed, &mut explored).is_some() {
                break;
            }
        }
        explored
    }

    /// One run. `Some` if something does not hold, which is then in the report.
    fn one(&self, seed: Seed, explored: &mut Explored) -> Option<()> {
        let mut ended: Ended = watch::run(&self.scenario, seed, self.rates);
        // A page fault or a lock may stop a thread once: what blocks does so in each run.
        if ended.blocked {
            ended = watch::run(&self.scenario, seed, self.rates);
        }
        explored.add(seed, ended)
    }
}

/// The seed of the environment variable, if it is set.
fn of_environment() -> Option<Seed> {
    let name = Explore::<()>::REPLAY_VARIABLE;
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(seed) => Some(seed),
        Err(error) => fail(&format!("{name}: {error}")),
    }
}

impl<W> fmt::Debug for Explore<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explore")
            .field("seeds", &self.seeds)
            .field("rates", &self.rates)
            .field("crashes", &self.crashes)
            .field("replayed", &self.replayed)
            .finish_non_exhaustive()
    }
}

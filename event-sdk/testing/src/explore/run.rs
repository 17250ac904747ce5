//! One run of a scenario: starts its process, drives it until everything is handled, and starts it
//! again after a crash.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::time::Clock as _;
use tokio::runtime::Runtime;

use super::points::{Points, Process};
use super::scenario::{Check, Scenario};
use super::seed::Seed;
use super::thread_time::ThreadTime;
use crate::faults::{Faults, Rates};
use crate::idle;
use crate::test_bus::TestBus;

/// How a run has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What does not hold.
    pub(super) violation: Option<String>,
    /// What happened, in order.
    pub(super) trace: Vec<String>,
    /// The faults that were injected, as text; empty without any.
    pub(super) faults: String,
    /// Whether the service has blocked its thread.
    pub(super) blocked: bool,
}

/// How one process has ended.
enum End {
    /// It waits, and nothing is left to be handled.
    Handled,
    /// It waits, and this is left to be handled.
    Left(String),
    Crashed,
    Returned(String),
    Panicked(String),
}

/// More processes than this one after the other are a service that never gets on.
const MOST_PROCESSES: u32 = 200;

/// How long a supervisor waits.
const RESTART: Duration = Duration::from_secs(1);

/// How long a timer of tokio is waited for when nothing else is.
const TOKIO_TIMER: Duration = Duration::from_secs(60);

/// What is noted of one run, also if it never ends.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    points: Arc<Points>,
    faults: Option<Faults>,
}

impl Notes {
    pub(super) fn new(seed: Seed, rates: Rates) -> Self {
        let faults = seed.fault_seed();
        Self {
            points: Arc::new(Points::new(seed.crash_point())),
            faults: faults.map(|seed| Faults::from_seed(seed).rates(rates)),
        }
    }

    /// The end of the run.
    pub(super) fn ended(&self, violation: Option<String>, blocked: bool) -> Ended {
        let faults = self.faults.as_ref();
        Ended {
            violation,
            trace: self.points.trace(),
            faults: faults.map_or_else(String::new, Faults::to_string),
            blocked,
        }
    }
}

/// Runs the scenario, in this thread. Answers what does not hold.
pub(super) fn run<W: Send + Sync + 'static>(
    scenario: &Scenario<W>,
    notes: &Notes,
    time: &ThreadTime,
) -> Option<String> {
    let Notes { points, faults } = notes;
    let violation = caught(|| {
        let mut builder = (scenario.bus)(TestBus::builder());
        if let Some(faults) = faults {
            builder = builder.faults(faults.clone());
        }
        let run = Run {
            scenario,
            points,
            bus: builder.build(),
            world: Arc::new((scenario.world)()),
            faults: faults.as_ref(),
            time,
        };
        run.to_the_end()
    });
    violation.unwrap_or_else(Some)
}

struct Run<'a, W> {
    scenario: &'a Scenario<W>,
    points: &'a Arc<Points>,
    bus: TestBus,
    world: Arc<W>,
    faults: Option<&'a Faults>,
    time: &'a ThreadTime,
}

impl<W: Send + Sync + 'static> Run<'_, W> {
    /// What does not hold.
    fn to_the_end(&self) -> Option<String> {
        let given = (self.scenario.given)(self.bus.undisturbed().clone());
        match runtime(self.time) {
            Ok(runtime) => runtime.block_on(given),
            Err(error) => return Some(error),
        }
        self.bus.account_for_all();
        for process in 1..=MOST_PROCESSES {
            let end = match self.process() {
                Ok(end) => end,
                Err(error) => return Some(error),
            };
            if let Some(violation) = self.check(&self.scenario.always) {
                return Some(violation);
            }
            let why = match end {
                End::Handled => return self.at_the_end(),
                End::Left(what) => return Some(what),
                End::Crashed => "the process has crashed".to_owned(),
                End::Returned(answer) if self.left().is_none() => {
                    self.points
                        .note(format!("the service has returned {answer}"));
                    return self.at_the_end();
                }
                End::Returned(answer) => format!("the service has returned {answer}"),
                End::Panicked(message) => format!("the service has panicked: {message}"),
            };
            self.bus.stepped_clock().advance(RESTART);
            let at = self.bus.stepped_clock().monotonic();
            let number = process + 1;
            self.points
                .note(format!("{why}; process {number} starts at {at:?}"));
        }
        Some(format!(
            "the service was started {MOST_PROCESSES} times and has not handled everything"
        ))
    }

    /// Starts a process and drives it to its end.
    fn process(&self) -> Result<End, String> {
        let process = Process::new(self.points);
        let bus = self.bus.connect_through(process.clone())?;
        let runtime = runtime(self.time)?;
        let ended = caught(|| {
            self.time.begin();
            runtime.block_on(async {
                let mut service = pin!((self.scenario.service)(bus, Arc::clone(&self.world)));
                let fault_crash = async {
                    match self.faults {
                        Some(faults) => faults.crashed().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    () = process.crashed() => End::Crashed,
                    () = fault_crash => End::Crashed,
                    answer = &mut service => End::Returned(answer),
                    end = self.drive() => end,
                }
            })
        });
        self.time.end();
        // Its tasks are dropped with it, wherever they are.
        drop(runtime);
        Ok(ended.unwrap_or_else(End::Panicked))
    }

    /// Lets virtual time pass until everything is handled, or nothing goes on.
    async fn drive(&self) -> End {
        let clock = self.bus.stepped_clock();
        let mut quiet_since = None;
        loop {
            idle::settled().await;
            let now = clock.monotonic();
            let over = now >= self.scenario.within;
            let left = self.left();
            // A delivery that a fault has delayed may come again, and tasks may go on.
            quiet_since = match left {
                Some(_) => None,
                None => quiet_since.or(Some(now)),
            };
            let quiet = quiet_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let next = clock.until_next();
            match (next, left) {
                (_, Some(left)) if over => {
                    return End::Left(format!("{left} after {now:?} of virtual time"));
                }
                (_, None) if over || quiet > self.quiet_time() => return End::Handled,
                (Some(next), left) => {
                    let limit = match left {
                        Some(_) => self.scenario.within.saturating_sub(now),
                        None => self.quiet_time(),
                    };
                    idle::step(clock, next.min(limit).max(Duration::from_millis(1))).await;
                }
                (None, left) => {
                    let passed = self.points.passed();
                    idle::pass(TOKIO_TIMER).await;
                    if self.points.passed() != passed || clock.until_next().is_some() {
                        continue;
                    }
                    return match left {
                        None => End::Handled,
                        Some(left) => End::Left(format!("{left}, and nothing waits for a time")),
                    };
                }
            }
        }
    }

    /// How long nothing may be left until the run ends, though timers are waited for.
    fn quiet_time(&self) -> Duration {
        let delay = self.faults.map_or(Duration::ZERO, Faults::longest_delay);
        delay.saturating_add(Duration::from_secs(1))
    }

    /// What the consumers have still to handle, as text.
    fn left(&self) -> Option<String> {
        self.bus.left(0)
    }

    fn at_the_end(&self) -> Option<String> {
        let unreached = self.points.unreached();
        unreached.or_else(|| self.check(&self.scenario.finally))
    }

    fn check(&self, checks: &[Check<W>]) -> Option<String> {
        let checked = caught(|| {
            for check in checks {
                check(&self.world, &self.bus);
            }
        });
        checked.err()
    }
}

/// The runtime of one process: one thread, whose clock stands still while a task can go on.
fn runtime(time: &ThreadTime) -> Result<Runtime, String> {
    let (parks, unparks) = (time.clone(), time.clone());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || parks.end())
        .on_thread_unpark(move || unparks.begin())
        .build()
        .map_err(|error| format!("no runtime could be made: {error}"))
}

/// The value, or the message of the panic.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}

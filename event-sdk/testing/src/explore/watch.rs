//! Runs a scenario in a thread of its own, and gives it up when its service blocks that thread for
//! ever.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::run::{self, Ended, Notes};
use super::scenario::Scenario;
use super::seed::Seed;
use super::thread_time::ThreadTime;
use crate::faults::Rates;

/// How often the thread is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long a blocked thread may take to go on, before its run is given up.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// Runs the scenario with this seed.
pub(super) fn run<W: Send + Sync + 'static>(
    scenario: &Scenario<W>,
    seed: Seed,
    rates: Rates,
) -> Ended {
    let time = ThreadTime::default();
    let (ends, ended) = mpsc::channel();
    let (tells, status) = mpsc::channel();
    let notes = Notes::new(seed, rates);
    let spawned = {
        let (scenario, time, notes) = (scenario.clone(), time.clone(), notes.clone());
        thread::Builder::new()
            .name(format!("explore {seed}"))
            .spawn(move || {
                let _ = tells.send(Sleep::of_this_thread());
                // Nobody listens any more to a run that was given up.
                let _ = ends.send(run::run(&scenario, &notes, &time));
            })
    };
    if let Err(error) = spawned {
        return notes.ended(Some(format!("no thread could be made: {error}")), false);
    }
    let mut sleep = status.recv().ok().flatten();
    let mut blocked_since = None;
    loop {
        match ended.recv_timeout(LOOK) {
            Ok(violation) => return notes.ended(violation, time.was_blocked()),
            Err(RecvTimeoutError::Disconnected) => {
                return notes.ended(Some("the thread of the run has ended".to_owned()), false);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let asleep = sleep.as_mut().is_some_and(Sleep::goes_on);
        if !asleep || time.is_parked() {
            blocked_since = None;
            continue;
        }
        let since = *blocked_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= GIVEN_UP {
            let text = format!("the service has blocked its thread for {GIVEN_UP:?}, for ever");
            return notes.ended(Some(text), false);
        }
    }
}

/// Whether a thread sleeps, as Linux tells. One that works or waits for a processor does not.
struct Sleep {
    status: String,
    /// How often it had gone to sleep when it was looked at last.
    times: Option<u64>,
}

impl Sleep {
    /// `None` where the system does not tell.
    fn of_this_thread() -> Option<Self> {
        let own = fs::read_link("/proc/thread-self").ok()?;
        let status = format!("/proc/{}/status", own.to_str()?);
        fs::metadata(&status).ok()?;
        Some(Self {
            status,
            times: None,
        })
    }

    /// Whether it sleeps now, and has slept since it was looked at last.
    fn goes_on(&mut self) -> bool {
        let Ok(status) = fs::read_to_string(&self.status) else {
            return false;
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        let times = field("voluntary_ctxt_switches:").parse().ok();
        let asleep = matches!(field("State:").chars().next(), Some('S' | 'D'));
        let same = times.is_some() && times == self.times;
        self.times = times;
        asleep && same
    }
}

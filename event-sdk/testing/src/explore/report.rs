//! `Explored`: the runs of a scenario, and the first one in which something did not hold.

use std::fmt;

use super::run::Ended;
use super::seed::Seed;
use crate::failure::fail;

/// The result of [`Explore::run`](super::Explore::run).
#[derive(Debug)]
pub struct Explored {
    runs: usize,
    points: Vec<String>,
    failure: Option<Failure>,
}

/// A run in which something did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The seed that replays the run.
    pub seed: Seed,
    /// What did not hold: the message of the check, the events that were left unsettled, or that
    /// the thread was blocked.
    pub violation: String,
    /// What happened, in order: the numbered points, crashes and restarts.
    pub trace: Vec<String>,
    /// The injected faults, as text; empty without any.
    pub faults: String,
}

impl Explored {
    pub(super) fn new() -> Self {
        Self {
            runs: 0,
            points: Vec::new(),
            failure: None,
        }
    }

    /// Adds a run; `Some` if something did not hold.
    pub(super) fn add(&mut self, seed: Seed, ended: Ended) -> Option<()> {
        self.runs += 1;
        if seed == Seed::UNDISTURBED {
            let numbered = |line: &&String| line.starts_with(|first: char| first.is_ascii_digit());
            self.points = ended.trace.iter().filter(numbered).cloned().collect();
        }
        let blocked = ended.blocked.then(|| {
            "the service has blocked its thread: a call waits for something outside of the runtime, \
             and all other handlers wait for it; use an async call, or `spawn_blocking`"
                .to_owned()
        });
        let violation = blocked.or(ended.violation)?;
        self.failure = Some(Failure {
            seed,
            violation,
            trace: ended.trace,
            faults: ended.faults,
        });
        Some(())
    }

    /// The number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The points of the undisturbed run, in order; a crash was tried at each.
    #[must_use]
    pub fn points(&self) -> &[String] {
        &self.points
    }

    /// The run in which something did not hold.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Asserts that everything held in every run.
    ///
    /// # Panics
    ///
    /// If something did not hold; the panic message is the text of the [`Failure`].
    #[track_caller]
    pub fn assert_holds(&self) {
        if let Some(failure) = &self.failure {
            fail(&failure.to_string());
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            violation,
            trace,
            faults,
        } = self;
        write!(
            f,
            "the scenario does not hold with the seed {seed}:\n{violation}\n\nwhat happened:"
        )?;
        for line in trace {
            write!(f, "\n  {line}")?;
        }
        // The message of an assertion on the bus ends with them already.
        if !violation.ends_with(faults.as_str()) {
            write!(f, "\n{faults}")?;
        }
        let variable = super::Explore::<()>::REPLAY_VARIABLE;
        write!(f, "\n\nto run it alone, set {variable}={seed}")
    }
}

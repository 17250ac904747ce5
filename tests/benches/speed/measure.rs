//! Runs two things in turn and compares their medians.

use std::fmt;
use std::time::Duration;

/// How often each side runs; odd, so that the median is one of the runs.
pub(crate) const ROUNDS: usize = 11;

/// One comparison: a line of the table.
pub(crate) struct Row {
    what: String,
    ours: Duration,
    baseline: Duration,
    goal: Goal,
}

/// What a ratio is meant to be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Ours takes at most so much of the baseline's time.
    TimeAtMost(f64),
    /// Ours has at least so much of the baseline's rate.
    RateAtLeast(f64),
    /// None; for information.
    None,
}

impl Row {
    pub(crate) const TITLE: &str =
        "| what | ours, ns an event | baseline, ns an event | ratio | goal |";
    pub(crate) const RULE: &str = "|---|---:|---:|---:|---|";

    /// Runs `ours` and `baseline` in turn, after one run of each that does not
    /// count. Both handle `events` events a run and answer how long that took.
    pub(crate) fn compare(
        what: impl Into<String>,
        goal: Goal,
        events: u32,
        mut ours: impl FnMut() -> Duration,
        mut baseline: impl FnMut() -> Duration,
    ) -> Self {
        ours();
        baseline();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // Neither is always the one that finds a warm machine.
            if round % 2 == 0 {
                a.push(ours());
                b.push(baseline());
            } else {
                b.push(baseline());
                a.push(ours());
            }
        }
        Self {
            what: what.into(),
            ours: median(a) / events,
            baseline: median(b) / events,
            goal,
        }
    }
}

fn median(mut runs: Vec<Duration>) -> Duration {
    runs.sort();
    runs[runs.len() / 2]
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, baseline) = (self.ours.as_secs_f64(), self.baseline.as_secs_f64());
        let (ratio, goal) = match self.goal {
            Goal::TimeAtMost(most) => (ours / baseline, format!("time ≤ {most:.2}")),
            Goal::RateAtLeast(least) => (baseline / ours, format!("rate ≥ {least:.2}")),
            Goal::None => (ours / baseline, "time".to_owned()),
        };
        write!(
            f,
            "| {} | {} | {} | {ratio:.2} | {goal} |",
            self.what,
            self.ours.as_nanos(),
            self.baseline.as_nanos()
        )
    }
}

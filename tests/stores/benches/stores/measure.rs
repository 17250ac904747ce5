//! Runs two things in turn and compares the medians of their rates.

use std::fmt;
use std::future::Future;
use std::time::Duration;

/// One comparison: a line of the table.
pub(crate) struct Row {
    what: String,
    ours: f64,
    baseline: f64,
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
    pub(crate) const TITLE: &str = "| what | ours, a second | baseline, a second | ratio | goal |";
    pub(crate) const RULE: &str = "|---|---:|---:|---:|---|";

    /// Runs `ours` and `baseline` in turn, after one run of each that does not count. Both handle
    /// `events` events a run and answer how long that took.
    pub(crate) async fn compare<A, B>(
        what: impl Into<String>,
        goal: Goal,
        (rounds, events): (usize, u32),
        mut ours: impl FnMut() -> A,
        mut baseline: impl FnMut() -> B,
    ) -> Self
    where
        A: Future<Output = Duration>,
        B: Future<Output = Duration>,
    {
        ours().await;
        baseline().await;
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Neither is always the one that finds a warm machine.
            if round % 2 == 0 {
                a.push(ours().await);
                b.push(baseline().await);
            } else {
                b.push(baseline().await);
                a.push(ours().await);
            }
        }
        let rate = |runs| f64::from(events) / median(runs).as_secs_f64();
        Self {
            what: what.into(),
            ours: rate(a),
            baseline: rate(b),
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
        let (ratio, goal) = match self.goal {
            Goal::TimeAtMost(most) => (self.baseline / self.ours, format!("time ≤ {most:.2}")),
            Goal::RateAtLeast(least) => (self.ours / self.baseline, format!("rate ≥ {least:.2}")),
            Goal::None => (self.ours / self.baseline, "rate".to_owned()),
        };
        let (ours, baseline) = (self.ours, self.baseline);
        write!(
            f,
            "| {} | {ours:.0} | {baseline:.0} | {ratio:.2} | {goal} |",
            self.what
        )
    }
}

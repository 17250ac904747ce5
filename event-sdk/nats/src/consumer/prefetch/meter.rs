//! `Meter`: a rate over the last quarter of a second of work.

use std::time::Duration;

/// The shortest time of one measurement, so that a rate stays finite.
const SHORTEST: Duration = Duration::from_micros(1);

/// Counts what was done, and how long it took.
///
/// It forgets what lies behind the span that it covers. One measurement that takes longer than
/// the span replaces all before it, so that a caller who becomes slow is noticed at once.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    /// Seconds that are covered.
    span: f64,
    count: f64,
    /// Seconds that it took.
    took: f64,
}

impl Meter {
    pub(super) fn new(span: Duration) -> Self {
        Self {
            span: span.as_secs_f64(),
            count: 0.0,
            took: 0.0,
        }
    }

    /// That many were done in this time.
    pub(super) fn add(&mut self, count: u64, took: Duration) {
        let took = took.max(SHORTEST).as_secs_f64();
        let room = (self.span - took).max(0.0);
        if self.took > room {
            self.count *= room / self.took;
            self.took = room;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "no rate needs more than 52 bits of a count"
        )]
        let count = count as f64;
        self.count += count;
        self.took += took;
    }

    /// How many are done per second; `None` before the first.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.took > 0.0).then(|| self.count / self.took)
    }
}

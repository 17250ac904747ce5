//! Slows the replay down to a readable speed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long to wait before each event.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Real time for a second of the flights' time.
    scale: f64,
    last: Option<Timestamp>,
}

impl Pace {
    /// A day of flights takes so many seconds; 0 is no waiting at all.
    pub(crate) fn new(seconds_per_day: f64) -> Self {
        Self {
            scale: seconds_per_day / SignedDuration::from_hours(24).as_secs_f64(),
            last: None,
        }
    }

    /// How long after the event before it an event is due. A gap of more than
    /// a day, as in a file with holes, is taken for one day.
    pub(crate) fn delay(&mut self, at: Timestamp) -> Duration {
        let Some(last) = self.last.replace(at) else {
            return Duration::ZERO;
        };
        let passed = at
            .duration_since(last)
            .clamp(SignedDuration::ZERO, SignedDuration::from_hours(24));
        passed.unsigned_abs().mul_f64(self.scale)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::Pace;

    fn delays(seconds_per_day: f64, hours: &[i64]) -> Vec<Duration> {
        let start = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::new(seconds_per_day);
        let at = |hour: &i64| start + SignedDuration::from_hours(*hour);
        hours.iter().map(|hour| pace.delay(at(hour))).collect()
    }

    #[test]
    fn time_passes_in_proportion_and_at_most_a_day_at_once() {
        let seconds = |s: &[u64]| {
            s.iter()
                .copied()
                .map(Duration::from_secs)
                .collect::<Vec<_>>()
        };
        let hours = [0, 12, 12, 36, 1000, 5, 17];
        assert_eq!(delays(10.0, &hours), seconds(&[0, 5, 0, 10, 10, 0, 5]));
        assert_eq!(delays(0.0, &hours), seconds(&[0; 7]));
    }
}

//! `Elapsed`: monotonic age of a stream, by which message ages and duplicate windows are
//! measured.

use std::time::Duration;

use jiff::Timestamp;

use event_sdk_clock::Clock;

/// How long a stream has run, in nanoseconds; it never goes back.
///
/// Ages must not depend on the time of day, which may be set. A publish has that
/// at hand, for the message, and asking the clock again for how long it has run
/// would cost as much once more. So the clock is asked at most ten times a second:
/// in between, the time of day says how much later it is, unless it was set.
#[derive(Debug)]
pub(super) struct Elapsed {
    /// When the clock was asked last, by the time of day and by how long it ran.
    asked: Timestamp,
    ran: u64,
    latest: u64,
}

/// For how long the time of day is trusted, in nanoseconds, and how wrong an age
/// can be when it is set forward by less than that.
const TRUSTED: u64 = 100_000_000;

impl Elapsed {
    pub(super) const fn new() -> Self {
        Self {
            asked: Timestamp::MIN,
            ran: 0,
            latest: 0,
        }
    }

    /// How long it has run when the time of day is `now`.
    #[inline]
    pub(super) fn at(&mut self, now: Timestamp, clock: &dyn Clock) -> u64 {
        match since(self.asked, now) {
            Some(later) if later < TRUSTED => self.latest = self.latest.max(self.ran + later),
            _ => self.ask(now, clock),
        }
        self.latest
    }

    /// How long it has run if the clock has for so long.
    pub(super) fn is(&mut self, ran: Duration) -> u64 {
        self.latest = self.latest.max(nanos(ran));
        self.latest
    }

    #[cold]
    fn ask(&mut self, now: Timestamp, clock: &dyn Clock) {
        let ran = clock.monotonic();
        (self.asked, self.ran) = (now, nanos(ran));
        self.is(ran);
    }
}

/// So many nanoseconds; what is beyond that, for ever, is 584 years.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The nanoseconds between two times of day that are not far apart.
#[inline]
fn since(earlier: Timestamp, later: Timestamp) -> Option<u64> {
    let seconds = later.as_second() - earlier.as_second();
    if !(0..=1).contains(&seconds) {
        return None;
    }
    let nanos = later.subsec_nanosecond() - earlier.subsec_nanosecond();
    u64::try_from(seconds * 1_000_000_000 + i64::from(nanos)).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::{Elapsed, TRUSTED};
    use event_sdk_clock::{Clock, Sleep};

    /// How often it was asked, and how long it has run.
    #[derive(Debug, Default)]
    struct Counting(Mutex<(u32, Duration)>);

    impl Clock for Counting {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            let mut state = self.0.lock().unwrap();
            state.0 += 1;
            state.1
        }

        fn sleep_until(&self, _: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    /// In nanoseconds.
    const MILLI: u64 = 1_000_000;

    impl Counting {
        fn ran(&self, nanos: u64) {
            self.0.lock().unwrap().1 = Duration::from_nanos(nanos);
        }
    }

    /// Some time before the epoch, where seconds are counted down, and what follows it.
    fn day(nanos: i64) -> Timestamp {
        let day = Timestamp::UNIX_EPOCH - SignedDuration::from_millis(500);
        day + SignedDuration::from_nanos(nanos)
    }

    #[test]
    fn the_clock_is_asked_ten_times_a_second() {
        let (clock, mut elapsed) = (Counting::default(), Elapsed::new());
        for ran in (0..1000).map(|millis| MILLI * millis) {
            clock.ran(ran);
            assert_eq!(elapsed.at(day(ran.cast_signed()), &clock), ran);
        }
        assert_eq!(clock.0.lock().unwrap().0, 10);
    }

    #[test]
    fn a_day_that_is_set_makes_it_neither_older_nor_younger() {
        let (clock, mut elapsed) = (Counting::default(), Elapsed::new());
        let hour = 3600 * 1000 * MILLI.cast_signed();
        for (count, ahead) in (1..).zip([0, 1, 0, -1, 100, 3, -100, 0]) {
            clock.ran(count * MILLI);
            assert_eq!(elapsed.at(day(hour * ahead), &clock), count * MILLI);
        }
    }

    #[test]
    fn a_small_step_of_the_day_is_made_up_for() {
        let (clock, mut elapsed) = (Counting::default(), Elapsed::new());
        elapsed.at(day(0), &clock);
        let step = 90 * MILLI;
        assert!(elapsed.at(day(step.cast_signed()), &clock) < TRUSTED);
        clock.ran(10 * TRUSTED);
        let later = day((step + 10 * TRUSTED).cast_signed());
        assert_eq!(elapsed.at(later, &clock), 10 * TRUSTED);
    }

    #[test]
    fn it_does_not_go_back() {
        let (clock, mut elapsed) = (Counting::default(), Elapsed::new());
        assert_eq!(elapsed.is(Duration::from_millis(5)), 5 * MILLI);
        assert_eq!(elapsed.at(day(0), &clock), 5 * MILLI);
        assert_eq!(elapsed.is(Duration::from_millis(4)), 5 * MILLI);
    }
}

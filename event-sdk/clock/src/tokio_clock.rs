//! `TokioClock`: the default clock; system time, and tokio's timers where a tokio runtime is
//! running.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_timer::Delay;
use jiff::Timestamp;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use crate::suspended::Suspended;
use crate::{Clock, Sleep};

/// The system's time, and tokio's timers.
///
/// A wait uses a timer of the tokio runtime in which it is polled. The runtime must have time
/// enabled; otherwise tokio's timer panics. A wait that is polled in another runtime continues
/// there. Outside of any runtime, a thread ends the wait. While tokio's own clock is paused,
/// [`monotonic`](Clock::monotonic) stands still.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    start: Instant,
    suspended: Suspended,
}

impl TokioClock {
    /// A clock that starts to run now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            suspended: Suspended::new(),
        }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn suspended(&self) -> Duration {
        self.suspended.elapsed()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        match self.start.checked_add(deadline) {
            Some(deadline) => Box::pin(Wait {
                deadline,
                timer: None,
            }),
            // Further away than an instant can say: never.
            None => Box::pin(std::future::pending()),
        }
    }
}

/// A wait, with a timer from its first poll on.
struct Wait {
    deadline: Instant,
    timer: Option<Timer>,
}

/// What keeps a wait. A timer of a runtime that has ended would panic, and one of
/// a runtime that nobody drives would never come.
enum Timer {
    Tokio(Id, Sleep),
    Thread(Delay),
}

impl Timer {
    /// One that is kept by `runtime`.
    fn new(deadline: Instant, runtime: Option<Id>) -> Self {
        match runtime {
            Some(id) => Self::Tokio(id, Box::pin(tokio::time::sleep_until(deadline))),
            None => Self::Thread(Delay::new(deadline - Instant::now())),
        }
    }

    fn runtime(&self) -> Option<Id> {
        match self {
            Self::Tokio(id, _) => Some(*id),
            Self::Thread(_) => None,
        }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let here = Handle::try_current().ok().map(|runtime| runtime.id());
        let deadline = self.deadline;
        let kept = self.timer.take().filter(|timer| timer.runtime() == here);
        let timer = kept.unwrap_or_else(|| Timer::new(deadline, here));
        match self.timer.insert(timer) {
            Timer::Tokio(_, sleep) => sleep.as_mut().poll(cx),
            Timer::Thread(delay) => Pin::new(delay).poll(cx),
        }
    }
}

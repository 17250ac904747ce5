//! `shutdown_signal`: a future that completes when the process is told to end (SIGTERM, Ctrl-C).

#[cfg(not(unix))]
mod ctrl_c;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(not(unix))]
use self::ctrl_c as platform;
#[cfg(unix)]
use self::unix as platform;

/// Completes when the process is told to end: at SIGTERM or Ctrl-C (SIGINT) on Unix, at Ctrl-C
/// elsewhere.
///
/// It is the argument of [`Consumer::run_until`](super::Consumer::run_until) and
/// [`Consumers::run_until`](super::Consumers::run_until), and works with anything else that has to
/// end with the process:
///
/// ```no_run
/// # use event_sdk::{Error, EventSet, consumer::Consumer};
/// # async fn run<S: EventSet>(consumer: Consumer<S>) -> Result<(), Error> {
/// use event_sdk::consumer::shutdown_signal;
///
/// let report = consumer.run_until(shutdown_signal()).await?;
/// # Ok(())
/// # }
/// ```
///
/// **The second signal.** After the first signal has arrived, a second one ends the process at
/// once, with the exit status that shells give to the signal: 143 after SIGTERM, 130 after SIGINT.
/// On Unix the signal handler does this, so that it works even if a handler of an event blocks
/// every thread. Nothing is given back then: the events that the consumer held are delivered again
/// after their ack wait.
///
/// **Several futures.** All of them complete at the same signal. A future that is made after the
/// signal completes at once, because the process should end.
///
/// **While there is no such future** (it was dropped before a signal), a signal ends the process as
/// if this function had never been called, with the same exit status (143 or 130). The signals are
/// not ignored.
///
/// The signals count from this call on, not from the first poll.
///
/// # Panics
///
/// If it is called outside of a tokio runtime, or in one without the I/O driver
/// (`enable_io`); `#[tokio::main]` has it.
pub fn shutdown_signal() -> ShutdownSignal {
    ShutdownSignal(platform::Signals::new())
}

/// The future of [`shutdown_signal`].
///
/// A signal that arrives while the future exists is kept until it is polled. If the future is
/// dropped, a signal that it has not yet returned is lost.
#[must_use = "it completes at a signal only while it is awaited"]
pub struct ShutdownSignal(platform::Signals);

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for ShutdownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownSignal").finish_non_exhaustive()
    }
}

//! `Process`: a server's program, which ends with the test program. `Launch` starts it.

mod guard;
mod launch;

use std::io;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::wait::Patience;
use guard::Guard;
pub use launch::Launch;

/// The process of a server that [`Launch::start`] started for a test.
///
/// The process ends when this value is dropped, also by a panic. If the test program is killed, a
/// guard process ends the server and removes its folder.
#[derive(Debug)]
pub struct Process {
    child: Child,
    guard: Guard,
    quits: bool,
}

/// How long a process that [quits](Launch::quits) may take for it.
const QUITS_WITHIN: Duration = Duration::from_secs(10);

impl Process {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to end, by `SIGINT`.
    ///
    /// # Errors
    ///
    /// If the system refuses the signal.
    pub fn interrupt(&self) -> io::Result<()> {
        self.signal(Signal::INT)
    }

    /// Kills the process (`SIGKILL`), even if it is frozen. [`wait`](Self::wait) waits for its end.
    ///
    /// # Errors
    ///
    /// If the system refuses the signal.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Sends a signal. The child is not yet reaped, so the number is still its own.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child), signal)?;
        Ok(())
    }

    /// Freezes the process (`SIGSTOP`), and waits until all of its threads have stopped. Until
    /// then, threads on other processors may still answer. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// If the system refuses the signal.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::STOP)?;
        let child = Pid::from_child(&self.child);
        // Its end as well, and that is left for `ended` to see.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), options))?;
        Ok(())
    }

    /// The exit status of the process; `None` while it runs.
    ///
    /// # Errors
    ///
    /// If the system does not return the status.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.guard.dismiss();
        }
        Ok(status)
    }

    /// Waits until the process has ended, and returns its exit status; `None` if it has not ended
    /// after `within`. Cancel-safe.
    ///
    /// # Errors
    ///
    /// The same as for [`ended`](Self::ended).
    pub async fn wait(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let mut patience = Patience::new(within);
        loop {
            match self.ended()? {
                None if patience.again().await => {}
                outcome => return Ok(outcome),
            }
        }
    }

    /// Gives a process that quits the time for it.
    fn quit(&mut self) {
        let signals = [Signal::QUIT, Signal::CONT];
        let sent = signals.map(|signal| self.signal(signal).is_ok());
        let deadline = Instant::now() + QUITS_WITHIN;
        while sent == [true; 2] && matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    /// Nothing of it may stay, whatever state it is in; `SIGKILL` also ends a paused process.
    fn drop(&mut self) {
        if self.quits && matches!(self.child.try_wait(), Ok(None)) {
            self.quit();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.dismiss();
    }
}

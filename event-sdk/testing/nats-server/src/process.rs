//! Runs a server's program, and ends it with the test.

mod guard;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::folder::Folder;
use crate::wait::Patience;
use guard::Guard;

/// A server that was started and has not been seen to end.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Guard,
}

impl Process {
    /// Starts the program with the configuration in `folder`; both of its outputs go to the log.
    pub(crate) fn start(program: &Path, folder: &Folder) -> io::Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.log())?;
        let guard = Guard::start(folder.path())?;
        let child = Command::new("sh")
            .args(["-c", guard::THEN_RUN, "server"])
            .arg(program)
            .arg("--config")
            .arg(folder.config())
            .stdin(guard.reached_by()?)
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal is for the test program; the guard does the rest.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, guard })
    }

    /// Sends a signal. The child is not yet reaped, so the number is still its own.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child), signal)?;
        Ok(())
    }

    /// Stops it where it is, and waits for the moment until all of its threads have stopped: until
    /// then, those on other processors still answer.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::STOP)?;
        let child = Pid::from_child(&self.child);
        // Its end as well, and that is left for `ended` to see.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), options))?;
        Ok(())
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.guard.dismiss();
        }
        Ok(status)
    }

    /// Waits until it has ended; `None` if it has not after `within`.
    pub(crate) async fn wait(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let mut patience = Patience::new(within);
        loop {
            match self.ended()? {
                None if patience.again().await => {}
                outcome => return Ok(outcome),
            }
        }
    }
}

impl Drop for Process {
    /// Nothing of it may stay, whatever state it is in; `SIGKILL` also ends a paused process.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.dismiss();
    }
}

//! One run of a server's program, guarded so that it does not outlive the test program.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::os::unix::process::CommandExt as _;

use crate::folder::Folder;
use crate::wait::Patience;

/// Starts the guard, then becomes the server, so that our child is the server itself.
///
/// The guard reads from a pipe that we hold. A line tells it that the server has ended as it
/// should; the end of the pipe without a line means that the test program is gone, however it
/// ended, and then the guard kills the server, also a paused one, and removes its folder.
const GUARDED: &str = r#"
folder=$1
shift
exec 3<&0
(
    trap '' HUP INT TERM
    read -r _ <&3 || { kill -9 $$; rm -rf -- "$folder"; }
) </dev/null &
exec "$@" </dev/null 3<&-
"#;

/// A server that was started and has not been seen to end.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Option<ChildStdin>,
}

impl Process {
    /// Starts the program with the configuration in `folder`; both of its outputs go to the log.
    pub(crate) fn start(program: &Path, folder: &Folder) -> io::Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.log())?;
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "guard"])
            .arg(folder.path())
            .arg(program)
            .arg("--config")
            .arg(folder.config())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal is for the test program; the guard does the rest.
            .process_group(0)
            .spawn()?;
        let guard = child.stdin.take();
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
            self.dismiss_guard();
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

    /// A guard that cannot be told is one that is gone already.
    fn dismiss_guard(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.write_all(b"ended\n");
        }
    }
}

impl Drop for Process {
    /// Nothing of it may stay, whatever state it is in; `SIGKILL` also ends a paused process.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.dismiss_guard();
    }
}

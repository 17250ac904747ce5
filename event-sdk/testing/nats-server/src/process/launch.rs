//! `Launch`: what a process runs, as which user, and how it ends with the test program.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{self, PathBuf};
use std::process::Command;

use super::Process;
use super::guard::{self, Guard};

/// A program to be started, which ends with the test program at the latest.
#[derive(Clone, Debug)]
#[must_use = "nothing is started until `start` is called"]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: PathBuf,
    log: PathBuf,
    user: Option<(u32, u32)>,
    quits: bool,
}

impl Launch {
    /// Prepares the server's program and its folder. The folder is also removed if the test program
    /// is killed.
    ///
    /// Both of the program's outputs are added to the file `log`.
    pub fn new(
        program: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
        log: impl Into<PathBuf>,
    ) -> Self {
        let program = program.into();
        Self {
            program: path::absolute(&program).unwrap_or(program),
            arguments: Vec::new(),
            folder: folder.into(),
            log: log.into(),
            user: None,
            quits: false,
        }
    }

    /// Adds an argument.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs the program as this user and this group, without other groups. Only root may do that.
    pub fn user(mut self, user: u32, group: u32) -> Self {
        self.user = Some((user, group));
        self
    }

    /// Ends the program by `SIGQUIT`, so that it can end its own processes and release resources of
    /// the system. `SIGKILL` follows if that takes longer than 10 seconds. Default: `SIGKILL` at
    /// once.
    pub fn quits(mut self) -> Self {
        self.quits = true;
        self
    }

    /// Starts the program, and its guard process.
    ///
    /// # Errors
    ///
    /// If the log cannot be written, or a process cannot be started. There is no error if the
    /// system cannot run the program: the process then has ended, and its log has the reason.
    pub fn start(&self) -> io::Result<Process> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let guard = Guard::start(&self.folder, self.quits)?;
        let mut command = Command::new("sh");
        command
            .args(["-c", guard::THEN_RUN, "server"])
            .arg(&self.program)
            .args(&self.arguments)
            .stdin(guard.reached_by()?)
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal is for the test program; the guard does the rest.
            .process_group(0);
        if let Some((user, group)) = self.user {
            // Another user may not be allowed into the folder that the test runs in.
            command.uid(user).gid(group).current_dir(&self.folder);
        }
        let child = command.spawn()?;
        Ok(Process {
            child,
            guard,
            quits: self.quits,
        })
    }
}

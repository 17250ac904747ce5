//! `Process`: this program once more, with a task, until it ends or is killed.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::Context as _;

use crate::database::{ADDRESS, ADDRESS_FILE};
use crate::worker::{SUBMITTED, Task, VARIABLE};

/// How this program is started.
#[derive(Clone)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    /// Of PostgreSQL, instead of that of the environment.
    database: Option<String>,
}

impl Program {
    /// The program of this process with these arguments. It finds its task in the environment.
    pub(crate) fn this<I, A>(arguments: I) -> anyhow::Result<Self>
    where
        I: IntoIterator<Item = A>,
        A: Into<String>,
    {
        Ok(Self {
            path: std::env::current_exe().context("the path of this program")?,
            arguments: arguments.into_iter().map(Into::into).collect(),
            database: None,
        })
    }

    /// The same with another address of PostgreSQL.
    pub(crate) fn on_database(&self, address: String) -> Self {
        Self {
            database: Some(address),
            ..self.clone()
        }
    }

    /// Starts a process with this task, whose output is read.
    pub(crate) fn start(&self, task: &Task) -> anyhow::Result<Process> {
        let mut child = self.spawn(task, Stdio::piped())?;
        let output = child.stdout.take().context("the output of the process")?;
        Ok(Process {
            child,
            lines: Some(BufReader::new(output).lines()),
        })
    }

    /// Starts a process with this task, whose output is thrown away.
    pub(crate) fn start_silently(&self, task: &Task) -> anyhow::Result<Process> {
        let child = self.spawn(task, Stdio::null())?;
        Ok(Process { child, lines: None })
    }

    fn spawn(&self, task: &Task, output: Stdio) -> anyhow::Result<Child> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .env(VARIABLE, serde_json::to_string(task)?)
            .stdin(Stdio::null())
            .stdout(output);
        if let Some(address) = &self.database {
            command.env(ADDRESS, address).env_remove(ADDRESS_FILE);
        }
        command.spawn().context("a process of the services")
    }
}

/// A process, which is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Process {
    /// Waits until so many payments were submitted in it. Returns false if it ended before.
    ///
    /// It blocks the thread.
    pub(crate) fn wait_for_payments(&mut self, payments: u32) -> anyhow::Result<bool> {
        let mut submitted = 0;
        while submitted < payments {
            match self.lines.iter_mut().flatten().next() {
                Some(line) => submitted += u32::from(line? == SUBMITTED),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Kills it (`SIGKILL`), and waits until it is gone.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself.
    ///
    /// It blocks the thread.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        // Without a reader it would wait for one.
        for line in self.lines.iter_mut().flatten() {
            line?;
        }
        Ok(self.child.wait()?)
    }

    /// Whether it runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

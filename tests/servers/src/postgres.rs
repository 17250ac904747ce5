//! `Postgres`: a real PostgreSQL for tests, with a database for each test.
//!
//! A test program starts one server, which [`Postgres::shared`] returns, and each test makes a
//! [`Database`] of its own on it. A test that stops or kills the server starts one for itself. A
//! [`Pooler`] stands before a server as `PgBouncer` does, and gives each transaction another
//! connection.
//!
//! PostgreSQL refuses to run as root. A test program that runs as root, as in containers of CIs,
//! starts it as the system's user `nobody`.

mod account;
mod data;
mod database;
mod error;
mod options;
mod pooler;
mod programs;
mod ready;
mod session;
mod wire;

#[cfg(target_os = "linux")]
mod children;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io, thread};

use event_sdk_nats_server::{Port, Process};
use event_sdk_test_programs::Program;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use account::Account;
pub use database::Database;
pub use error::Error;
pub use options::Options;
pub use pooler::Pooler;
use programs::Programs;
pub use session::{Refusal, Row, Session, SessionError};

/// A PostgreSQL server on a port of its own, stopped and removed when dropped.
///
/// What it has logged last is printed if that happens while a test panics.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: the folder goes after the process that writes into it.
    process: Option<Process>,
    name: String,
    program: Program,
    programs: Programs,
    account: Option<Account>,
    settings: Vec<(String, String)>,
    port: Port,
    databases: AtomicU64,
    folder: TempDir,
}

/// A loaded machine may need some seconds for what takes milliseconds.
const WITHIN: Duration = Duration::from_mins(1);

/// Who owns everything; the server trusts whoever connects from this machine.
const USER: &str = "postgres";

/// The database that is always there.
const MAINTENANCE: &str = "postgres";

impl Postgres {
    /// The server that all tests of this program share, started by the first that asks. It ends
    /// with the program. A test must not stop it.
    ///
    /// Cancel-safe: another test starts it then.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Starts a server, and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// If there is no program, it ends by itself, or does not answer in time.
    pub async fn start() -> Result<Self, Error> {
        Self::options().start().await
    }

    /// A server with options: settings, another program.
    pub fn options() -> Options {
        Options::new()
    }

    /// The program that it runs, with its version.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The port where clients connect, on 127.0.0.1. A restart does not change it.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The folder of its data and its log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        let Some(process) = &mut self.process else {
            return false;
        };
        matches!(process.ended(), Ok(None))
    }

    /// All that it has logged, over restarts too.
    pub fn log(&self) -> String {
        match fs::read(self.log_file()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log could not be read: {error})"),
        }
    }

    /// Makes a new, empty database.
    ///
    /// Not cancel-safe: a database may be left, which the end of the server removes.
    ///
    /// # Errors
    ///
    /// [`Error::Session`] if the server cannot be reached, or refuses it.
    pub async fn database(&self) -> Result<Database, Error> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let database = Database {
            name: format!("test_{number}"),
            port: self.port(),
        };
        let mut session = Session::open(self.port(), MAINTENANCE).await?;
        session
            .query(&format!("create database {}", database.name))
            .await?;
        Ok(database)
    }

    /// Stops it in an orderly way: sessions are ended, their transactions rolled back.
    ///
    /// # Errors
    ///
    /// If it is not running, or does not end in time.
    pub async fn stop(&mut self) -> Result<(), Error> {
        let sent = self.running("stop")?.interrupt();
        self.until_ended(sent).await
    }

    /// Kills all of its processes (`SIGKILL`): nothing is written any more, and nothing is told to
    /// a client. The system keeps what was written, so this is not the loss of power.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let sent = kill_all(self.running("kill")?);
        self.until_ended(sent).await
    }

    /// Stops it if it is running, starts it on the same port with the same data, and waits until it
    /// answers.
    ///
    /// # Errors
    ///
    /// If it does not end, or does not answer in time.
    pub async fn restart(&mut self) -> Result<(), Error> {
        if self.is_running() {
            self.stop().await?;
        }
        self.launch()?;
        self.ready().await
    }

    async fn start_with(options: Options) -> Result<Self, Error> {
        let program = match options.program {
            Some(program) => program,
            None => crate::programs::postgres::program()?,
        };
        let port = Port::reserve().map_err(|source| unnamed("reserve a port", source))?;
        let name = format!("postgres-{}", port.number());
        let (account, folder) =
            own_folder().map_err(|source| unnamed("make a folder of the server's own", source))?;
        let programs = Programs::of(&program, account, folder.path())?;
        let mut server = Self {
            process: None,
            name,
            program,
            programs,
            account,
            settings: options.settings,
            port,
            databases: AtomicU64::new(0),
            folder,
        };
        server.make_data().await?;
        server.launch()?;
        server.ready().await?;
        Ok(server)
    }

    fn running(&mut self, operation: &'static str) -> Result<&Process, Error> {
        let running = self.is_running();
        match &self.process {
            Some(process) if running => Ok(process),
            _ => Err(event_sdk_nats_server::Error::State {
                server: self.name.clone(),
                is: "is not running",
                operation,
            }
            .into()),
        }
    }

    async fn until_ended(&mut self, sent: io::Result<()>) -> Result<(), Error> {
        sent.map_err(|source| self.system("send it a signal", source))?;
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        match process.wait(WITHIN).await {
            Ok(Some(_)) => {
                self.process = None;
                Ok(())
            }
            Ok(None) => Err(self.timed_out("its end", "it still runs")),
            Err(source) => Err(self.system("wait for its end", source)),
        }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn log_end(&self) -> String {
        const LINES: usize = 40;
        let text = self.log();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    fn system(&self, action: &'static str, source: io::Error) -> Error {
        Error::System {
            server: self.name.clone(),
            action,
            source,
        }
    }

    fn timed_out(&self, awaited: &'static str, last: &str) -> Error {
        event_sdk_nats_server::Error::TimedOut {
            server: self.name.clone(),
            awaited,
            within: WITHIN,
            last: last.to_owned(),
            log: self.log_end(),
        }
        .into()
    }
}

impl Drop for Postgres {
    /// Its parts do the work; this only shows what a failing test's reader wants to see.
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of {} ends:\n{}", self.name, self.log_end());
        }
    }
}

/// The server's folder, and its user if that is another one than ours.
fn own_folder() -> io::Result<(Option<Account>, TempDir)> {
    let account = Account::needed()?;
    let folder = tempfile::Builder::new()
        .prefix("event-sdk-postgres-")
        .tempdir()?;
    if let Some(account) = account {
        account.own(folder.path())?;
    }
    Ok((account, folder))
}

/// Its children would end too, but only when they next wait for something.
#[cfg(target_os = "linux")]
fn kill_all(process: &Process) -> io::Result<()> {
    // It starts no more of them while it is frozen.
    process.freeze()?;
    let children = children::of(process.id());
    process.kill()?;
    children?.into_iter().try_for_each(children::kill)
}

#[cfg(not(target_os = "linux"))]
fn kill_all(process: &Process) -> io::Result<()> {
    process.kill()
}

fn unnamed(action: &'static str, source: io::Error) -> Error {
    Error::System {
        server: "a new PostgreSQL".to_owned(),
        action,
        source,
    }
}

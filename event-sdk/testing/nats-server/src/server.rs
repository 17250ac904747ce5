//! `NatsServer`: start, stop, kill, pause and restart of one server.

mod ready;
mod reload;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use rustix::process::Signal;
use serde_json::Value;

use crate::config::{self, Place};
use crate::folder::Folder;
use crate::port::Port;
use crate::process::{Launch, Process};
use crate::{Error, Options, find, monitoring};

/// A `nats-server` with JetStream on a port of its own, stopped and removed when dropped.
///
/// If it is dropped while a test panics, the end of its log is printed.
#[derive(Debug)]
pub struct NatsServer {
    // Dropped in this order: the folder goes after the process that writes into it.
    process: Option<Process>,
    paused: bool,
    name: String,
    program: PathBuf,
    client: Port,
    monitoring: Port,
    /// A member of a cluster answers before the others do.
    alone: bool,
    folder: Folder,
}

/// A loaded machine may need some seconds for what takes milliseconds.
const WITHIN: Duration = Duration::from_secs(60);

impl NatsServer {
    /// Starts a server with JetStream and the default options, and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// The same as for [`Options::start`].
    pub async fn start() -> Result<Self, Error> {
        Self::options().start().await
    }

    /// Returns options for a server, such as another program or further configuration;
    /// [`Options::start`] starts the server.
    pub fn options() -> Options {
        Options::new()
    }

    /// The URL to which clients connect: `nats://127.0.0.1:<port>`. A restart does not change it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// The port to which clients connect.
    pub fn port(&self) -> u16 {
        self.client.number()
    }

    /// The name that the server tells clients and other servers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of the program that the server runs.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The folder of the server's configuration, log and store.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the process of the server exists, also if it is paused.
    pub fn is_running(&mut self) -> bool {
        let Some(process) = &mut self.process else {
            return false;
        };
        matches!(process.ended(), Ok(None))
    }

    /// Whether the server is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The whole log of the server, including the log before a restart.
    pub fn log(&self) -> String {
        self.folder.log_text()
    }

    /// The URL of the server's monitoring port, for programs that read it.
    #[must_use]
    pub fn monitoring_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitoring.number())
    }

    /// Returns what the monitoring port answers for a path such as `/connz?subs=1`. This needs no
    /// credentials and no client.
    ///
    /// # Errors
    ///
    /// If the port answers with an error, or does not answer within 2 seconds.
    pub async fn monitor(&self, path: &str) -> Result<Value, Error> {
        monitoring::get(self.monitoring.number(), path)
            .await
            .map_err(|source| self.system("ask its monitoring port", source))
    }

    /// Stops the server in an orderly way, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If the server is not running, is paused, or does not end in time.
    pub async fn stop(&mut self) -> Result<(), Error> {
        self.end("stop", Signal::TERM).await
    }

    /// Stops the server gracefully (lame duck mode): it tells its clients to connect elsewhere,
    /// closes their connections, about one per second, and ends.
    ///
    /// # Errors
    ///
    /// If the server is not running, is paused, or does not end in time.
    pub async fn lame_duck(&mut self) -> Result<(), Error> {
        self.end("lame duck mode", Signal::USR2).await
    }

    /// Kills the server (`SIGKILL`), even if it is paused: connections break, and the server writes
    /// nothing more.
    ///
    /// # Errors
    ///
    /// If the server is not running.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.paused = false;
        self.end("kill", Signal::KILL).await
    }

    /// Stops the server if it is running, starts it on the same ports with the same store, and
    /// waits until it answers. A member of a cluster may not know the leader yet.
    ///
    /// # Errors
    ///
    /// If the server is paused, does not end, or does not answer in time.
    pub async fn restart(&mut self) -> Result<(), Error> {
        if self.is_running() {
            self.stop().await?;
        }
        self.launch()?;
        self.ready().await
    }

    /// Freezes the server (`SIGSTOP`): connections stay open, and nothing answers. Blocks the
    /// thread for a moment, until the server is frozen.
    ///
    /// # Errors
    ///
    /// If the server is not running, or is already paused.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.expect_awake("pause")?;
        let frozen = self.process.as_ref().map(Process::freeze).transpose();
        frozen.map_err(|source| self.system("pause it", source))?;
        self.paused = true;
        Ok(())
    }

    /// Lets the server continue after [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// If the server is not paused.
    pub fn resume(&mut self) -> Result<(), Error> {
        if !self.paused {
            return Err(self.state("is not paused", "resume"));
        }
        self.paused = false;
        self.signal("resume", Signal::CONT)
    }

    pub(crate) fn prepare(options: &Options) -> Result<Self, Error> {
        let program = find::program(options.program.as_deref())?;
        let client = reserve()?;
        let server = Self {
            process: None,
            paused: false,
            name: format!("nats-{}", client.number()),
            program,
            client,
            monitoring: reserve()?,
            alone: !options.member,
            folder: Folder::new().map_err(|source| unnamed("make its folder", source))?,
        };
        let place = Place {
            name: &server.name,
            client_port: server.client.number(),
            monitoring_port: server.monitoring.number(),
            store: &server.folder.store(),
        };
        fs::write(server.folder.config(), config::text(&place, options))
            .map_err(|source| server.system("write its configuration", source))?;
        Ok(server)
    }

    /// Starts the process of the server, and does not wait; [`ready`](Self::ready) does.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the process cannot be started.
    pub fn launch(&mut self) -> Result<(), Error> {
        let launch = Launch::new(&self.program, self.folder.path(), self.folder.log());
        let launch = launch.argument("--config").argument(self.folder.config());
        let process =
            (launch.start()).map_err(|source| self.system("start its program", source))?;
        self.process = Some(process);
        Ok(())
    }

    async fn end(&mut self, operation: &'static str, signal: Signal) -> Result<(), Error> {
        self.signal(operation, signal)?;
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        match process.wait(WITHIN).await {
            Ok(Some(_)) => {
                self.process = None;
                Ok(())
            }
            Ok(None) => Err(self.timed_out("its end", WITHIN, "it still runs")),
            Err(source) => Err(self.system("wait for its end", source)),
        }
    }

    fn signal(&mut self, operation: &'static str, signal: Signal) -> Result<(), Error> {
        self.expect_awake(operation)?;
        let process = self.process.as_ref();
        let sent = process.map(|process| process.signal(signal)).transpose();
        sent.map_err(|source| self.system("send it a signal", source))?;
        Ok(())
    }

    fn expect_awake(&mut self, operation: &'static str) -> Result<(), Error> {
        if self.paused {
            return Err(self.state("is paused", operation));
        }
        if !self.is_running() {
            return Err(self.state("is not running", operation));
        }
        Ok(())
    }

    fn state(&self, is: &'static str, operation: &'static str) -> Error {
        Error::State {
            server: self.name.clone(),
            is,
            operation,
        }
    }

    fn system(&self, action: &'static str, source: io::Error) -> Error {
        Error::System {
            server: self.name.clone(),
            action,
            source,
        }
    }

    /// Makes the error that says what this server did not do in time, with the end of its log.
    pub fn timed_out(&self, awaited: &'static str, within: Duration, last: &str) -> Error {
        Error::TimedOut {
            server: self.name.clone(),
            awaited,
            within,
            last: last.to_owned(),
            log: self.folder.log_end(),
        }
    }
}

impl Options {
    /// Starts the server, and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// [`Error::NoProgram`] or [`Error::Unusable`] without a program, [`Error::Ended`] if the
    /// server ends, [`Error::TimedOut`] if it does not answer in time, [`Error::System`].
    pub async fn start(self) -> Result<NatsServer, Error> {
        let mut server = self.prepare()?;
        server.launch()?;
        server.ready().await?;
        Ok(server)
    }

    /// Finds the program, reserves the ports and writes the configuration. Does not start the
    /// server: call [`launch`](NatsServer::launch) and [`ready`](NatsServer::ready) afterwards.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn prepare(self) -> Result<NatsServer, Error> {
        NatsServer::prepare(&self)
    }
}

impl Drop for NatsServer {
    /// Its parts do the work; this only shows what a failing test's reader wants to see.
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of {} ends:\n{}", self.name, self.folder.log_end());
        }
    }
}

/// A port, before there is a server that has a name.
fn reserve() -> Result<Port, Error> {
    Port::reserve().map_err(|source| unnamed("reserve a port", source))
}

fn unnamed(action: &'static str, source: io::Error) -> Error {
    Error::System {
        server: "a new server".to_owned(),
        action,
        source,
    }
}

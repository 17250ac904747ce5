//! One server: its life from start to drop, and what tests do to it meanwhile.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use event_sdk_test_programs::{Program, nats};
use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::config::{self, Place};
use crate::folder::Folder;
use crate::monitoring;
use crate::port::Port;
use crate::process::Process;
use crate::{Error, Options, wait};

/// A `nats-server` with JetStream on a port of its own, stopped and removed when dropped.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the folder goes after the process that writes into it.
    process: Option<Process>,
    paused: bool,
    name: String,
    program: Program,
    client: Port,
    monitoring: Port,
    folder: Folder,
}

/// A loaded machine may need some seconds for what takes milliseconds.
const WITHIN: Duration = Duration::from_secs(20);

impl Server {
    /// Starts the current server with JetStream and nothing else, and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// If there is no program, it ends by itself, or does not answer in time.
    pub async fn start() -> Result<Self, Error> {
        Self::options().start().await
    }

    /// A server with options: without JetStream, with limits, another program.
    pub fn options() -> Options {
        Options::new()
    }

    /// Where clients connect: `nats://127.0.0.1:<port>`. A restart does not change it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// The port where clients connect.
    pub fn port(&self) -> u16 {
        self.client.number()
    }

    /// Its name, as it tells clients and other servers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The program that it runs, with its version.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The folder of its configuration, log and store.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether its process is there, also when paused.
    pub fn is_running(&mut self) -> bool {
        let Some(process) = &mut self.process else {
            return false;
        };
        matches!(process.ended(), Ok(None))
    }

    /// All that it has logged, over restarts too: to be shown when a test fails.
    pub fn log(&self) -> String {
        self.folder.log_text()
    }

    /// Stops it in an orderly way, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If it is not running or is paused, or does not end in time.
    pub async fn stop(&mut self) -> Result<(), Error> {
        self.end("stop", Signal::TERM).await
    }

    /// Stops it as an operator who cares for its clients does: it tells them to go elsewhere
    /// (lame duck mode), closes their connections, at most one a second, and ends.
    ///
    /// # Errors
    ///
    /// If it is not running or is paused, or does not end in time.
    pub async fn lame_duck(&mut self) -> Result<(), Error> {
        self.end("lame duck mode", Signal::USR2).await
    }

    /// Kills it (`SIGKILL`), paused or not: connections break and nothing is written any more.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.paused = false;
        self.end("kill", Signal::KILL).await
    }

    /// Stops it if it is running, and starts it on the same ports with the same store.
    ///
    /// # Errors
    ///
    /// If it is paused, does not end, or does not answer in time.
    pub async fn restart(&mut self) -> Result<(), Error> {
        if self.is_running() {
            self.stop().await?;
        }
        self.launch()?;
        self.ready().await
    }

    /// Freezes it (`SIGSTOP`): connections stay open and nothing answers.
    ///
    /// # Errors
    ///
    /// If it is not running or is paused already.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.signal("pause", Signal::STOP)?;
        self.paused = true;
        Ok(())
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// If it is not paused.
    pub fn resume(&mut self) -> Result<(), Error> {
        if !self.paused {
            return Err(self.state("is not paused", "resume"));
        }
        self.paused = false;
        self.signal("resume", Signal::CONT)
    }

    pub(crate) async fn start_with(options: Options) -> Result<Self, Error> {
        let program = match options.program.clone() {
            Some(program) => program,
            None => nats::current()?,
        };
        let system = |action| {
            move |source| Error::System {
                server: "a new server".to_owned(),
                action,
                source,
            }
        };
        let client = Port::reserve().map_err(system("reserve a port"))?;
        let monitoring = Port::reserve().map_err(system("reserve a port"))?;
        let folder = Folder::new().map_err(system("make its temporary folder"))?;
        let name = format!("nats-{}", client.number());
        let place = Place {
            name: &name,
            client_port: client.number(),
            monitoring_port: monitoring.number(),
            store: &folder.store(),
        };
        fs::write(folder.config(), config::text(&place, &options))
            .map_err(system("write its configuration"))?;
        let mut server = Self {
            process: None,
            paused: false,
            name,
            program,
            client,
            monitoring,
            folder,
        };
        server.launch()?;
        server.ready().await?;
        Ok(server)
    }

    fn launch(&mut self) -> Result<(), Error> {
        let process = Process::start(self.program.path(), &self.folder)
            .map_err(|source| self.system("start its program", source))?;
        self.process = Some(process);
        Ok(())
    }

    /// Ready is: it says so itself, under its own name, and takes connections.
    async fn ready(&mut self) -> Result<(), Error> {
        const AWAITED: &str = "an answer";
        let (port, monitoring) = (self.port(), self.monitoring.number());
        let outcome = wait::until(WITHIN, async || {
            if !self.is_running() {
                return Ok(false);
            }
            monitoring::get(monitoring, "/healthz").await?;
            let own = monitoring::get(monitoring, "/varz").await?;
            if own["server_name"] != self.name.as_str() {
                return Err(io::Error::other("another server answers on its port"));
            }
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            Ok(true)
        });
        match outcome.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.ended_while(AWAITED)),
            Err(last) => Err(self.timed_out(AWAITED, &last.to_string())),
        }
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
            Ok(None) => Err(self.timed_out("its end", "it still runs")),
            Err(source) => Err(self.system("wait for its end", source)),
        }
    }

    fn signal(&mut self, operation: &'static str, signal: Signal) -> Result<(), Error> {
        if self.paused {
            return Err(self.state("is paused", operation));
        }
        if !self.is_running() {
            return Err(self.state("is not running", operation));
        }
        let Some(process) = &self.process else {
            return Ok(());
        };
        process
            .signal(signal)
            .map_err(|source| self.system("send it a signal", source))
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

    fn ended_while(&mut self, awaited: &'static str) -> Error {
        let status = match self.process.as_mut().map(Process::ended) {
            Some(Ok(Some(status))) => status.to_string(),
            _ => "it is not running".to_owned(),
        };
        Error::Ended {
            server: self.name.clone(),
            awaited,
            status,
            log: self.folder.log_end(),
        }
    }

    fn timed_out(&self, awaited: &'static str, last: &str) -> Error {
        Error::TimedOut {
            server: self.name.clone(),
            awaited,
            within: WITHIN,
            last: last.to_owned(),
            log: self.folder.log_end(),
        }
    }
}

//! `Server`: one server with TLS and users, over the server of event-sdk-nats-server.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use event_sdk_nats_server::{NatsServer, Port};
use event_sdk_test_programs::{Program, nats};

use crate::config::{self, Member};
use crate::{Error, Identity, Options, Tls};

/// A `nats-server` with JetStream on a port of its own, stopped and removed when dropped.
///
/// It dereferences to a [`NatsServer`], which stops, kills, pauses and restarts.
#[derive(Debug)]
pub struct Server {
    process: NatsServer,
    program: Program,
    tls: Option<Identity>,
}

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

    /// A server with options: TLS, users, limits, another program.
    pub fn options() -> Options {
        Options::new()
    }

    /// Where clients connect, without credentials: `nats://127.0.0.1:<port>`, or `tls://…`.
    /// A restart does not change it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// The program that it runs, with its version.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Finds the program and writes the configuration, and starts nothing yet.
    pub(crate) fn prepare(options: &Options, member: Option<Member<'_>>) -> Result<Self, Error> {
        let program = match options.program.clone() {
            Some(program) => program,
            None => nats::current()?,
        };
        let tls = options.tls.as_ref().map(Tls::identity).transpose()?;
        let encrypted = options.tls.as_ref().zip(tls.as_ref());
        let mut server = options.server.clone().program(program.path());
        if member.is_some() {
            server = server.member_of_a_cluster();
        }
        let text = config::text(options, member, encrypted);
        Ok(Self {
            process: server.config(&text).prepare()?,
            program,
            tls,
        })
    }

    pub(crate) fn timed_out(&self, awaited: &'static str, within: Duration, last: &str) -> Error {
        self.process.timed_out(awaited, within, last).into()
    }
}

impl Options {
    /// Starts one server and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// If there is no program, it ends by itself, or does not answer in time.
    pub async fn start(self) -> Result<Server, Error> {
        let mut server = Server::prepare(&self, None)?;
        server.launch()?;
        server.ready().await?;
        Ok(server)
    }
}

impl Deref for Server {
    type Target = NatsServer;

    fn deref(&self) -> &NatsServer {
        &self.process
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut NatsServer {
        &mut self.process
    }
}

/// A port, before there is a server that has a name.
pub(crate) fn reserve() -> Result<Port, Error> {
    Port::reserve().map_err(|source| Error::System {
        server: "a new server".to_owned(),
        action: "reserve a port",
        source,
    })
}

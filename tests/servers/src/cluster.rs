//! Clusters: starts servers that replicate streams, waits for leaders and replicas.

mod leader;

use std::time::Duration;

use event_sdk_nats_server::{Patience, Port};

use crate::config::Member;
use crate::server::reserve;
use crate::{Error, Options, Server};

/// Servers that know each other. Dropped like a [`Server`].
#[derive(Debug)]
pub struct Cluster {
    servers: Vec<Server>,
    /// Where the servers reach each other; held for as long as the cluster is there.
    _routes: Vec<Port>,
}

/// An election takes 4 to 9 seconds when a leader is gone, and may have to be repeated.
const WITHIN: Duration = Duration::from_mins(1);

/// How often a cluster is started anew that finds no leader in time. Servers of NATS 2.10 that connect to each other at
/// the same moment sometimes end up without routes for an election, and stay so.
const STARTED_ANEW: usize = 2;

impl Cluster {
    /// Starts a cluster of so many servers with JetStream and nothing else, and waits until it
    /// has a leader whom all follow. [`Options::start_cluster`] starts one with options.
    ///
    /// Not cancel-safe: a start that is dropped ends the servers.
    ///
    /// # Errors
    ///
    /// If there is no program, a server ends by itself, or they find no leader in time.
    pub async fn start(servers: usize) -> Result<Self, Error> {
        Options::new().start_cluster(servers).await
    }

    /// All servers, in the order of their indices.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The server with this index, to stop, kill, pause or restart it.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn server(&mut self, index: usize) -> &mut Server {
        &mut self.servers[index]
    }

    /// The URLs of all servers.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Server::url).collect()
    }

    /// The URLs of all servers in one text, separated by commas.
    pub fn url(&self) -> String {
        self.urls().join(",")
    }

    /// Starts all servers that are not running and waits until the cluster has
    /// [settled](Self::settled). One by one could not be waited for: it takes a majority.
    ///
    /// # Errors
    ///
    /// If a server ends by itself, or they find no leader in time.
    pub async fn restart_stopped(&mut self) -> Result<(), Error> {
        let stopped = self.servers.iter_mut().filter_map(|server| {
            let runs = server.is_running();
            (!runs).then_some(server)
        });
        let mut started = Vec::new();
        for server in stopped {
            server.launch()?;
            started.push(server);
        }
        for server in started {
            server.ready().await?;
        }
        self.settled().await
    }

    /// Waits until the running servers agree on a leader of the cluster, which has all of them
    /// as current followers, and each says that its streams and consumers are healthy.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// If that is not so in time.
    pub async fn settled(&mut self) -> Result<(), Error> {
        let mut patience = Patience::new(WITHIN);
        loop {
            match self.look().await {
                Ok(()) => return Ok(()),
                Err(_) if patience.again().await => {}
                Err(last) => return Err(self.in_vain("that all follow one leader", &last)),
            }
        }
    }

    pub(crate) async fn start_with(options: &Options, servers: usize) -> Result<Self, Error> {
        if servers == 0 {
            return Err(Error::Empty);
        }
        for _ in 0..STARTED_ANEW {
            let mut cluster = Self::prepare(options, servers)?;
            match cluster.restart_stopped().await {
                Err(Error::Server(event_sdk_nats_server::Error::TimedOut { .. })) => {}
                started => return started.map(|()| cluster),
            }
        }
        let mut cluster = Self::prepare(options, servers)?;
        cluster.restart_stopped().await?;
        Ok(cluster)
    }

    /// The servers, none of which runs.
    fn prepare(options: &Options, servers: usize) -> Result<Self, Error> {
        let routes = (0..servers)
            .map(|_| reserve())
            .collect::<Result<Vec<_>, _>>()?;
        let ports: Vec<_> = routes.iter().map(Port::number).collect();
        let prepare = |port: &u16| {
            let member = Member {
                cluster: &format!("tests-{}", ports[0]),
                port: *port,
                ports: &ports,
            };
            Server::prepare(options, Some(member))
        };
        let servers = ports.iter().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self {
            servers,
            _routes: routes,
        })
    }

    /// The servers that can answer, with their indices.
    fn awake(&mut self) -> Vec<(usize, &Server)> {
        let servers = self.servers.iter_mut().enumerate();
        servers
            .filter_map(|(index, server)| {
                (server.is_running() && !server.is_paused()).then_some((index, &*server))
            })
            .collect()
    }

    /// With the log of one server; a failing test prints those of all.
    fn in_vain(&self, awaited: &'static str, last: &str) -> Error {
        match self.servers.first() {
            Some(server) => server.timed_out(awaited, WITHIN, last),
            None => Error::Empty,
        }
    }
}

impl Options {
    /// Starts a cluster of so many servers and waits until it has a leader whom all follow.
    ///
    /// Not cancel-safe: a start that is dropped ends the servers.
    ///
    /// # Errors
    ///
    /// If there is no program, a server ends by itself, or they find no leader in time.
    pub async fn start_cluster(self, servers: usize) -> Result<Cluster, Error> {
        Cluster::start_with(&self, servers).await
    }
}

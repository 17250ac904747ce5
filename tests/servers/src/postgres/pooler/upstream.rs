//! `Upstreams`: the pooler's connections to the server, each in use by one transaction at most.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::super::wire::{Message, Reader};

/// A connection to the server.
#[derive(Debug)]
pub(super) struct Upstream {
    number: u64,
    /// The first message of the client it was opened for: another user or database needs another
    /// connection.
    startup: Vec<u8>,
    pub(super) reader: Reader<OwnedReadHalf>,
    pub(super) writer: OwnedWriteHalf,
}

#[derive(Debug)]
pub(super) struct Upstreams {
    port: u16,
    opened: AtomicU64,
    transactions: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections of no transaction, the one that was used last at the end.
    idle: VecDeque<Upstream>,
    /// How many clients there are, by their first messages.
    clients: HashMap<Vec<u8>, u64>,
}

/// A client. When the last one of a user and database has gone, their connections are closed: otherwise
/// each database of a test would keep some, and a server has a limit.
pub(super) struct Registered {
    startup: Vec<u8>,
    upstreams: Arc<Upstreams>,
}

/// What the server says to a new session.
pub(super) enum Greeting {
    Accepted(Upstream, Vec<Message>),
    Refused(Vec<Message>),
}

impl Upstreams {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            opened: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Counts a client that began with this message, until the answer is dropped.
    pub(super) fn register(self: &Arc<Self>, startup: &[u8]) -> Registered {
        *self.state().clients.entry(startup.to_vec()).or_default() += 1;
        Registered {
            startup: startup.to_vec(),
            upstreams: Arc::clone(self),
        }
    }

    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// A connection for a transaction of a client whose last one had the connection `last`.
    pub(super) async fn other_than(&self, last: u64, startup: &[u8]) -> io::Result<Upstream> {
        while let Some(upstream) = self.idle_other_than(last, startup) {
            if upstream.is_alive() {
                return Ok(upstream);
            }
        }
        match self.open(startup).await? {
            Greeting::Accepted(upstream, _) => Ok(upstream),
            Greeting::Refused(_) => Err(io::Error::other("the server refuses a connection")),
        }
    }

    /// Opens a connection.
    pub(super) async fn open(&self, startup: &[u8]) -> io::Result<Greeting> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        writer.write_all(startup).await?;
        let mut reader = Reader::new(reader);
        let mut greeting = Vec::new();
        while let Some(message) = reader.message().await? {
            let ready = message.ready().is_some();
            greeting.push(message);
            if ready {
                let upstream = Upstream {
                    number: self.opened.fetch_add(1, Ordering::Relaxed),
                    startup: startup.to_vec(),
                    reader,
                    writer,
                };
                return Ok(Greeting::Accepted(upstream, greeting));
            }
        }
        Ok(Greeting::Refused(greeting))
    }

    /// Takes a connection back after a transaction, or after it was opened.
    pub(super) fn put_back(&self, upstream: Upstream) -> u64 {
        let number = upstream.number;
        self.state().idle.push_back(upstream);
        number
    }

    pub(super) fn count_transaction(&self) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
    }

    fn idle_other_than(&self, last: u64, startup: &[u8]) -> Option<Upstream> {
        let idle = &mut self.state().idle;
        let fits = |upstream: &Upstream| upstream.number != last && upstream.startup == startup;
        let at = idle.iter().position(fits)?;
        idle.remove(at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut state = self.upstreams.state();
        let State { idle, clients } = &mut *state;
        let Some(others) = clients.get_mut(&self.startup) else {
            return;
        };
        *others -= 1;
        if *others == 0 {
            clients.remove(&self.startup);
            idle.retain(|upstream| upstream.startup != self.startup);
        }
    }
}

impl Upstream {
    /// Whether it is open and has nothing to say. A server that ends says so before it closes the
    /// connection.
    fn is_alive(&self) -> bool {
        let read = self.reader.get_ref().try_read(&mut [0]);
        let silent = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.reader.is_empty() && silent
    }
}

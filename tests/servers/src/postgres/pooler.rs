//! `Pooler`: a proxy that pools by transaction, as `PgBouncer` does, and gives each transaction of a
//! client another connection than the one before.
//!
//! A statement that needs something of an earlier transaction's connection fails behind it, or does
//! harm: a prepared statement, `set`, `listen`, an advisory lock of the session, a temporary table.
//! Between transactions nothing is reset, as in `PgBouncer`.

mod client;
mod upstream;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::error::Error;
use super::session::SessionError;
use super::{Database, Postgres, Session, database::url, unnamed};
use upstream::Upstreams;

/// A pooler before a server, for one test. It ends when dropped, with all of its connections.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    upstreams: Arc<Upstreams>,
    task: AbortHandle,
}

impl Pooler {
    /// Starts a pooler on a free port of 127.0.0.1, in the runtime of the caller.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(server: &Postgres) -> Result<Self, Error> {
        let listening = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = listener.local_addr()?.port();
            io::Result::Ok((listener, port))
        };
        let (listener, port) = listening
            .await
            .map_err(|source| unnamed("start its pooler", source))?;
        let upstreams = Arc::new(Upstreams::new(server.port()));
        let task = tokio::spawn(accept(listener, Arc::clone(&upstreams)));
        Ok(Self {
            port,
            upstreams,
            task: task.abort_handle(),
        })
    }

    /// Where clients of this database connect, instead of to its server.
    pub fn url(&self, database: &Database) -> String {
        url(self.port, database.name())
    }

    /// Opens a session through the pooler.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or refuses it.
    pub async fn session(&self, database: &Database) -> Result<Session, SessionError> {
        Session::open(self.port, database.name()).await
    }

    /// How many transactions of clients have ended, each on another connection than the one before.
    pub fn transactions(&self) -> u64 {
        self.upstreams.transactions()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The tasks of its clients end with it.
async fn accept(listener: TcpListener, upstreams: Arc<Upstreams>) {
    let mut clients = JoinSet::new();
    loop {
        // Otherwise the set keeps what has ended.
        while clients.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            clients.spawn(client::serve(stream, Arc::clone(&upstreams)));
        }
    }
}

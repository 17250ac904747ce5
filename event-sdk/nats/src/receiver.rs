//! `Receiver`: the connection over which pull requests, deliveries and settlements run.
//!
//! async-nats ends its connection at a message whose subject or headers it cannot parse. It also
//! copies each message through a channel, and handles each settlement as a separate command. This
//! connection passes messages on as bytes (`message`), and reads and writes many at once
//! (`session`). It never ends because of a message that another client has published.
//!
//! The first subscription opens the connection, and all subscriptions share it. It is opened again
//! when it is lost (`task`), and closed with the transport.

mod arrivals;
mod dial;
mod info;
mod link;
mod message;
mod outgoing;
mod queue;
mod server_list;
mod session;
mod shared;
mod socket;
mod task;
mod wire;

pub(crate) use self::arrivals::{Arrivals, Arrived};
pub(crate) use self::link::LinkWatch;
pub(crate) use self::message::WireMessage;
pub(crate) use self::outgoing::Haste;

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OnceCell, oneshot};

use self::dial::Dialer;
use self::link::LinkState;
use self::outgoing::Pong;
use self::server_list::{ServerAddress, ServerList};
use self::shared::Shared;
use self::task::Task;
use self::wire::Decoder;
use super::connection::ConnectionMonitor;
use super::error::ErrorContext;
use super::options::{Address, Link, NatsOptions};
use event_sdk_core::transport::{Error, ErrorKind};

/// A handle of the connection.
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    options: NatsOptions,
    monitor: Arc<ConnectionMonitor>,
    runtime: Handle,
    started: OnceCell<()>,
}

/// The connection has ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

impl Receiver {
    /// Opens nothing yet.
    pub(crate) fn new(
        options: NatsOptions,
        monitor: Arc<ConnectionMonitor>,
        runtime: Handle,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new()),
            options,
            monitor,
            runtime,
            started: OnceCell::new(),
        }
    }

    /// Opens the connection if it is not open, and waits for that as long as a request may take.
    ///
    /// Cancel-safe: a connection that is being made goes on only if a subscription needs it.
    pub(crate) async fn open(&self, about: &ErrorContext) -> Result<(), Error> {
        self.started
            .get_or_try_init(|| self.start())
            .await
            .map_err(|error| about.on(error))?;
        let _wanted = Wanted::new(&self.shared);
        let mut link = self.shared.link.subscribe();
        let limit = self.options.request_timeout;
        let done = |state: &LinkState| matches!(state, LinkState::Connected(_) | LinkState::Ended);
        // An error says that it took too long; what there is then is looked at.
        let _ = tokio::time::timeout(limit, async { drop(link.wait_for(done).await) }).await;
        let state = link.borrow().clone();
        match state {
            LinkState::Connected(_) => Ok(()),
            LinkState::Ended => Err(about.on(self.monitor.refusal(about.operation))),
            LinkState::Connecting {
                failure: Some(failure),
            } => Err(about.error(
                failure.kind,
                format!(
                    "the connection for deliveries could not be opened within {limit:?}: {}",
                    failure.reason
                ),
            )),
            LinkState::Idle | LinkState::Connecting { failure: None } => {
                Err(about.on(self.monitor.disconnected(about.operation, limit)))
            }
        }
    }

    async fn start(&self) -> Result<(), Error> {
        let (addresses, auth) = self.options.resolve()?;
        let tls = self.options.tls.config(Link::Deliveries).await?;
        let all_secure = self.options.servers.all_secure();
        let given = addresses
            .iter()
            .map(|Address { server, .. }| ServerAddress {
                host: server.host().to_owned(),
                port: server.port(),
                secure: server.tls_required() || all_secure,
            });
        let servers = ServerList::new(given.collect(), !self.options.only_given_servers);
        let dialer = Dialer::new(self.options.clone(), auth, tls);
        let (shared, monitor) = (Arc::clone(&self.shared), Arc::clone(&self.monitor));
        let task = Task::new(shared, monitor, dialer, servers);
        self.runtime.spawn(task.run());
        Ok(())
    }

    /// Subscribes on this connection and on those that follow. Messages of a connection that was
    /// lost stay readable. What comes beyond `most_bytes` that were not read is dropped, and
    /// counted ([`Arrived::Dropped`]).
    pub(crate) fn subscribe(
        &self,
        subject: String,
        group: Option<String>,
        most_bytes: usize,
    ) -> Arrivals {
        let (sid, queue) = self.shared.subscribe(subject, group, most_bytes);
        Arrivals::new(Arc::clone(&self.shared), queue, sid)
    }

    /// Sends a request whose answers come to a subscription. It is dropped if the connection is
    /// lost before it is written, as its answers would be.
    pub(crate) fn request(&self, subject: &str, reply: &str, body: &[u8]) {
        let mut outgoing = self.shared.outgoing();
        outgoing.request(subject.as_bytes(), reply.as_bytes(), body);
    }

    /// Sends a message that is kept until there is a connection; `None` if too many are kept.
    pub(crate) fn try_send(
        &self,
        subject: &str,
        body: &[u8],
        haste: Haste,
    ) -> Option<Result<(), Ended>> {
        let mut outgoing = self.shared.outgoing();
        if outgoing.has_ended() {
            return Some(Err(Ended));
        }
        if !outgoing.has_room() {
            return None;
        }
        outgoing.publish_kept(subject.as_bytes(), body, haste);
        Some(Ok(()))
    }

    /// The same, when there is room.
    ///
    /// Cancel-safe: dropped before it is ready, nothing was sent.
    pub(crate) async fn send(&self, subject: &str, body: &[u8]) -> Result<(), Ended> {
        loop {
            let mut room = std::pin::pin!(self.shared.room.notified());
            // Before the look, so that nothing is missed between.
            room.as_mut().enable();
            if let Some(sent) = self.try_send(subject, body, Haste::Now) {
                return sent;
            }
            room.await;
        }
    }

    /// Writes the settlements that wait for others.
    pub(crate) fn hurry(&self) {
        self.shared.outgoing().hurry();
    }

    /// Waits until the server has processed everything that was sent before, and everything
    /// that it sent before has arrived; an error if the connection is lost meanwhile.
    ///
    /// Cancel-safe.
    pub(crate) async fn flush(&self, about: &ErrorContext) -> Result<(), Error> {
        let (flushed, flushing) = oneshot::channel();
        self.shared.outgoing().ping(Pong::Flushed(flushed));
        let limit = self.options.request_timeout;
        match tokio::time::timeout(limit, flushing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(about.error(
                ErrorKind::Disconnected,
                "the connection for deliveries was lost; try again",
            )),
            Err(_) => Err(about.on(self.monitor.disconnected(about.operation, limit))),
        }
    }

    /// Whether the server may still choose a member of a group that has left it.
    pub(crate) fn has_departing(&self) -> bool {
        *self.shared.departing.borrow() > 0
    }

    /// Waits until the server knows of all that have left their groups, or the connection is
    /// lost.
    pub(crate) async fn departed(&self) {
        let mut departing = self.shared.departing.subscribe();
        // That nobody counts any more says the same.
        let _ = departing.wait_for(|departing| *departing == 0).await;
    }

    /// The state of the connection, to be looked at and waited for.
    pub(crate) fn link(&self) -> LinkWatch {
        self.shared.link.watch()
    }

    /// Waits until the connection has ended, if it was ever opened.
    pub(crate) async fn ended(&self) {
        if self.started.initialized() {
            let mut link = self.shared.link.subscribe();
            // That nobody changes it any more says the same.
            let _ = link.wait_for(|state| *state == LinkState::Ended).await;
        }
    }
}

/// The frames in what a server says, when it arrives in portions of this many bytes.
pub(crate) fn frames(input: &[u8], portion: usize) -> Result<Vec<String>, String> {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    for portion in input.chunks(portion.max(1)) {
        decoder.room().extend_from_slice(portion);
        while let Some(frame) = decoder.next().map_err(|fault| fault.to_string())? {
            frames.push(format!("{frame:?}"));
        }
    }
    Ok(frames)
}

/// Keeps the connection wanted while it is held.
struct Wanted<'a>(&'a Shared);

impl<'a> Wanted<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.want();
        Self(shared)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.want_no_more();
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

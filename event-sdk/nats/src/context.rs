//! `NatsContext`: connection, options, server, send queue and subscriptions, shared by all
//! parts of the transport.

mod ask;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::connect;
use super::connection::{
    ConnectionListener as _, ConnectionMonitor, ConnectionState, ConnectionWatch, Denial, Phase,
};
use super::error::ErrorContext;
use super::options::{API_PREFIX, Management, NatsOptions};
use super::receiver::Receiver;
use super::send_queue::SendQueue;
use super::server::{Server, Version};
use event_sdk_core::transport::{Capabilities, Capability, Error, ErrorKind, Operation};

/// A connection, and what was learnt of the server behind it.
///
/// It ends when the last handle to it is dropped.
pub(super) struct NatsContext {
    client: async_nats::Client,
    options: NatsOptions,
    monitor: Arc<ConnectionMonitor>,
    /// Publishes with acks, and the answers to requests.
    send_queue: Arc<SendQueue>,
    /// Messages without answers, which no missing ack holds up.
    plain: OnceLock<Arc<SendQueue>>,
    /// Pull requests, deliveries and settlements.
    receiver: Receiver,
    server: Mutex<Learnt>,
    runtime: tokio::runtime::Handle,
}

struct Learnt {
    id: String,
    server: Server,
}

/// How long closing waits for what was handed over to be written.
const CLOSING: Duration = Duration::from_secs(2);

/// How often a drain looks whether everything is confirmed.
const LOOKING: Duration = Duration::from_millis(5);

impl NatsContext {
    /// Connects.
    pub(super) async fn connect(options: NatsOptions) -> Result<Arc<Self>, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            Error::new(
                ErrorKind::InvalidOption,
                Operation::Configure,
                "a connection to NATS needs a tokio runtime, and is made outside of one; connect under `#[tokio::main]` or `Runtime::block_on`",
            )
            .with_source(error)
        })?;
        let monitor = Arc::new(ConnectionMonitor::new());
        let client = connect::connect(&options, &monitor).await?;
        let info = client.server_info();
        let server = Server::learn(&info);
        // The client would stay connected as long as its tasks have handles.
        if let Err(error) = server.check() {
            monitor.end();
            let _ = client.drain().await;
            return Err(error);
        }
        let inbox = inbox(&options.inbox_prefix);
        let pending_replies = format!("{inbox}*");
        let send_queue =
            SendQueue::new(client.clone(), inbox, options.limits, Arc::clone(&monitor));
        let send_queue = Arc::new(send_queue);
        // Before it listens, so that it hears if it may not.
        monitor.add(Arc::clone(&send_queue));
        let receiver = Receiver::new(options.clone(), Arc::clone(&monitor), runtime.clone());
        let context = Arc::new(Self {
            client,
            receiver,
            options,
            monitor,
            send_queue,
            plain: OnceLock::new(),
            server: Mutex::new(Learnt {
                server,
                id: info.server_id,
            }),
            runtime,
        });
        // Before anything is published, so that the server knows of it first.
        let pending_replies = context
            .client
            .subscribe(pending_replies)
            .await
            .map_err(|error| {
                Error::new(
                    ErrorKind::Disconnected,
                    Operation::Configure,
                    "the connection was lost at once",
                )
                .with_source(error)
            })?;
        let (client, monitor) = (context.client.clone(), Arc::clone(&context.monitor));
        context
            .runtime
            .spawn(pump(client, monitor, Arc::clone(&context.send_queue)));
        let receiving = Arc::clone(&context.send_queue);
        context
            .runtime
            .spawn(async move { receiving.receive(pending_replies).await });
        Ok(context)
    }

    /// The client, for subscriptions and for messages without an answer.
    pub(super) fn client(&self) -> &async_nats::Client {
        &self.client
    }

    /// The connection for deliveries.
    pub(super) fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    pub(super) fn options(&self) -> &NatsOptions {
        &self.options
    }

    /// Publishes with acks go through here.
    pub(super) fn send_queue(&self) -> &Arc<SendQueue> {
        &self.send_queue
    }

    /// Messages without acks go through here.
    pub(super) fn plain_send_queue(&self) -> &Arc<SendQueue> {
        self.plain.get_or_init(|| {
            let (client, monitor) = (self.client.clone(), Arc::clone(&self.monitor));
            let send_queue = SendQueue::new(client, String::new(), self.options.limits, monitor);
            let send_queue = Arc::new(send_queue);
            if !self.monitor.add(Arc::clone(&send_queue)) {
                send_queue.end();
            }
            let running = Arc::clone(&send_queue);
            self.runtime.spawn(async move { running.run().await });
            send_queue
        })
    }

    /// What the server that is connected now said of itself.
    pub(super) fn server(&self) -> Server {
        let mut learnt = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let info = self.client.server_info();
        if info.server_id != learnt.id {
            learnt.server = Server::learn(&info);
            if let Err(error) = learnt.server.check() {
                tracing::warn!(server = %learnt.server.name, %error, "connected to another server");
            }
            learnt.id = info.server_id;
        }
        learnt.server.clone()
    }

    /// Whether what comes for an inbox that is left is for others at once; see
    /// [`Server::takes_back`].
    pub(super) fn takes_back(&self) -> bool {
        // Behind another prefix there is another server.
        self.options.api_prefix == API_PREFIX && self.server().takes_back()
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.server().capabilities();
        // What another domain or account reports does not come here.
        if self.options.api_prefix != API_PREFIX {
            capabilities = capabilities.without(Capability::ReportsExhausted);
        }
        if !self.may_manage() {
            capabilities = capabilities
                .without(Capability::ReportsExhausted)
                .without(Capability::ReportsGaps);
        }
        capabilities
    }

    /// Whether management calls may be made: without them there are no abilities.
    pub(super) fn may_manage(&self) -> bool {
        self.options.management == Management::Allowed
    }

    /// What to do about a capability that is missing, as the end of a sentence.
    pub(super) fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        let reports = [Capability::ReportsExhausted, Capability::ReportsGaps];
        let managed = missing.is_ability() || reports.contains(&missing);
        if managed && !self.may_manage() {
            return Cow::Borrowed("management calls are switched off; allow them");
        }
        match missing {
            Capability::ExpectPattern => Cow::Owned(self.server().needs(Version::V2_11)),
            Capability::ValueHandover => Cow::Borrowed("encode the event: it leaves this process"),
            _ => Cow::Borrowed("use a transport that can"),
        }
    }

    /// The state of the connection that is not for deliveries.
    pub(super) fn watch(&self) -> ConnectionWatch {
        self.monitor.watch()
    }

    /// The state of both connections, as users see it.
    pub(super) fn watch_both(&self) -> ConnectionWatch {
        self.monitor.watch_both()
    }

    /// Whether there are both connections: that for deliveries, and that for all else.
    pub(super) fn is_connected(&self) -> bool {
        self.watch().current() == ConnectionState::Connected && self.receiver.link().is_connected()
    }

    /// Goes on without anybody waiting for it.
    pub(super) fn spawn(&self, rest: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(rest);
    }

    /// Lets timers and tasks find the runtime of the connection, until this is dropped.
    pub(super) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// What is known of the connection.
    pub(super) fn monitor(&self) -> &Arc<ConnectionMonitor> {
        &self.monitor
    }

    /// What is wanted of the connection, to be waited for.
    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.monitor.phase()
    }

    /// What the server will not have allowed from now on, said beside answers.
    pub(super) fn denials(&self) -> broadcast::Receiver<Denial> {
        self.monitor.denials()
    }

    /// A subject of the JetStream API: `<prefix>.<call>`.
    pub(super) fn api(&self, call: impl fmt::Display) -> String {
        format!("{}.{call}", self.options.api_prefix)
    }

    /// A subject for answers that nobody else has.
    pub(super) fn new_inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// Refuses what is begun after [`begin_drain`](Self::begin_drain) and
    /// [`end`](Self::end).
    pub(super) fn check_open(&self, operation: Operation) -> Result<(), Error> {
        if self.monitor.is_open() {
            Ok(())
        } else {
            Err(self.refusal(operation))
        }
    }

    /// That nothing is begun any more, and why.
    pub(super) fn refusal(&self, operation: Operation) -> Error {
        self.monitor.refusal(operation)
    }

    /// Whether an error of a subscription says no more than that the transport is drained or
    /// closed, as it was asked to be.
    pub(super) fn is_end(&self, error: &Error) -> bool {
        *error.kind() == ErrorKind::Closed && self.monitor.was_told_to_end()
    }

    /// Refuses what is done after [`end`](Self::end); a drain lets it be done.
    pub(super) fn check_not_ended(&self, operation: Operation) -> Result<(), Error> {
        if self.monitor.is_wanted() {
            Ok(())
        } else {
            Err(self.refusal(operation))
        }
    }

    /// Refuses `call` where management calls are switched off.
    pub(super) fn check_managed(&self, about: &ErrorContext, call: &str) -> Result<(), Error> {
        match self.options.management {
            Management::Allowed => Ok(()),
            Management::Never => Err(about.error(
                ErrorKind::InvalidOption,
                format!("it needs the call {call}, and management calls are switched off; allow them, or do without it"),
            )),
        }
    }

    /// Refuses everything new from now on but publishing; what was begun goes on, and what
    /// was handed out can be settled.
    pub(super) fn begin_drain(&self) {
        self.monitor.begin_drain();
    }

    /// Refuses publishing too.
    pub(super) fn end_publishing(&self) {
        self.monitor.end_publishing();
    }

    /// Waits until every publish that was taken is confirmed or has failed.
    /// Cancel-safe.
    pub(super) async fn confirmed(&self) {
        let plain = self.plain.get();
        while !self.send_queue.is_idle() || plain.is_some_and(|plain| !plain.is_idle()) {
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Ends the connection: what was handed over is still written, everything
    /// else is refused.
    pub(super) fn end(&self) {
        self.monitor.end();
    }

    /// The same, and waits until it has ended. Cancel-safe: it goes on all the same.
    pub(super) async fn close(&self) {
        self.close_by(Instant::now() + CLOSING).await;
    }

    /// The same, and waits no longer than until then.
    pub(super) async fn close_by(&self, deadline: Instant) {
        self.end();
        let mut watch = self.watch();
        let closed = async {
            while watch.current() != ConnectionState::Closed {
                watch.changed().await;
            }
            self.receiver.ended().await;
        };
        // A server that is paused does not take what is to be written.
        let _ = tokio::time::timeout_at(deadline, closed).await;
    }
}

impl Drop for NatsContext {
    fn drop(&mut self) {
        self.monitor.end();
    }
}

/// Hands over what waits, and ends the connection when it is not wanted any more.
async fn pump(
    client: async_nats::Client,
    monitor: Arc<ConnectionMonitor>,
    send_queue: Arc<SendQueue>,
) {
    let mut guard = RuntimeGuard {
        monitor: Arc::clone(&monitor),
        finished: false,
    };
    send_queue.run().await;
    let written = async {
        // Errors say that it has ended already.
        let _ = client.flush().await;
        let _ = client.drain().await;
    };
    let _ = tokio::time::timeout(CLOSING, written).await;
    guard.finished = true;
    monitor.closed();
}

/// Notices that a runtime ends, which drops its tasks.
struct RuntimeGuard {
    monitor: Arc<ConnectionMonitor>,
    finished: bool,
}

impl Drop for RuntimeGuard {
    fn drop(&mut self) {
        if !self.finished {
            self.monitor.lose_runtime();
        }
    }
}

/// The inbox of a connection: a prefix that nobody else has. It is shorter than
/// what the client makes, since it travels with each message, and back; and it is
/// no part of that, since with async-nats's feature `nuid` all that one process
/// makes begin in the same way.
fn inbox(prefix: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // The last 62 bits are random: eleven digits.
    let mut random = Uuid::new_v4().as_u64_pair().1 & (u64::MAX >> 2);
    let mut inbox = format!("{prefix}.");
    for _ in 0..11 {
        inbox.push(char::from(DIGITS[(random % 62) as usize]));
        random /= 62;
    }
    inbox.push('.');
    inbox
}

impl fmt::Debug for NatsContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsContext")
            .field("options", &self.options)
            .field("monitor", &self.monitor)
            .field("send_queue", &self.send_queue)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::inbox;

    #[test]
    fn no_two_inboxes_begin_in_the_same_way() {
        let inboxes: Vec<_> = (0..1_000).map(|_| inbox("_INBOX")).collect();
        let starts: HashSet<_> = inboxes.iter().map(|inbox| &inbox[..16]).collect();
        assert_eq!(starts.len(), inboxes.len(), "{:?}", &inboxes[..2]);
        for inbox in inboxes {
            let id = inbox.strip_prefix("_INBOX.").unwrap();
            let id = id.strip_suffix('.').unwrap();
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
        }
    }
}

//! `NatsContext`: connection, options, server, send queue and subscriptions, shared by all
//! parts of the transport.

mod ask;
mod runtime;

pub(super) use self::ask::NotAnswered;

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
use event_sdk_core::transport::{
    Capabilities, Capability, ConnectionStatus, Error, ErrorKind, Operation,
};

/// A connection, and the known properties of its server.
///
/// It ends when the last handle to it is dropped.
pub(super) struct NatsContext {
    client: async_nats::Client,
    options: NatsOptions,
    monitor: Arc<ConnectionMonitor>,
    /// Publishes with confirmations, and replies to requests.
    send_queue: Arc<SendQueue>,
    /// Messages without replies, which a missing confirmation does not delay.
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

/// How long closing waits until accepted messages are written.
const CLOSING: Duration = Duration::from_secs(2);

/// How often a drain checks whether all publishes are confirmed.
const LOOKING: Duration = Duration::from_millis(5);

impl NatsContext {
    /// Connects.
    pub(super) async fn connect(mut options: NatsOptions) -> Result<Arc<Self>, Error> {
        // Clones of the options make connections of their own.
        options.tls.shown = Arc::default();
        let runtime = runtime::current()?;
        let monitor = Arc::new(ConnectionMonitor::new());
        let client = connect::connect(&options, &monitor).await?;
        let info = client.server_info();
        let server = Server::learn(&info);
        // The client stays connected as long as its tasks have handles.
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
        // Before it subscribes, so that a denial of the subscription is noticed.
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
        // Before anything is published, so that the server has the subscription first.
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

    /// The client, for subscriptions and for messages without a reply.
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

    /// The queue of publishes with confirmations.
    pub(super) fn send_queue(&self) -> &Arc<SendQueue> {
        &self.send_queue
    }

    /// The queue of messages without confirmations.
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

    /// The properties that the connected server reported.
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

    /// The id of the connected server, another one each time that it starts.
    pub(super) fn server_id(&self) -> String {
        self.client.server_info().server_id
    }

    /// Whether messages for an abandoned inbox go to other subscriptions at once; see
    /// [`Server::takes_back`].
    pub(super) fn takes_back(&self) -> bool {
        // Another prefix may lead to another server.
        self.options.api_prefix == API_PREFIX && self.server().takes_back()
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.server().capabilities();
        if !self.hears_advisories() {
            capabilities = capabilities.without(Capability::ReportsExhausted);
        }
        if self.options.api_prefix != API_PREFIX {
            // The servers of another domain may be a cluster.
            capabilities = capabilities.with(Capability::Placement);
        }
        if !self.may_manage() {
            capabilities = capabilities
                .without(Capability::ReportsExhausted)
                .without(Capability::ReportsGaps)
                .without(Capability::PauseConsumer)
                .without(Capability::ResetConsumer);
        }
        capabilities
    }

    /// Whether management calls may be made: without them there are no abilities.
    pub(super) fn may_manage(&self) -> bool {
        self.options.management == Management::Allowed
    }

    /// Whether messages can be scheduled.
    pub(super) fn has_schedules(&self) -> bool {
        self.may_manage() && self.server().version >= Version::V2_12
    }

    /// Whether the server's advisories arrive: those of another JetStream domain or account do not.
    pub(super) fn hears_advisories(&self) -> bool {
        self.options.api_prefix == API_PREFIX
    }

    /// The remedy for a missing capability, as the end of a sentence.
    pub(super) fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        let ability = missing.is_ability() && missing != Capability::Advisories;
        let managed = ability
            || matches!(
                missing,
                Capability::ReportsExhausted
                    | Capability::ReportsGaps
                    | Capability::PauseConsumer
                    | Capability::ResetConsumer
            );
        if managed && !self.may_manage() {
            return Cow::Borrowed("management calls are switched off; allow them");
        }
        match missing {
            Capability::ExpectPattern
            | Capability::CoordinationExpiry
            | Capability::PauseConsumer => Cow::Owned(self.server().needs(Version::V2_11)),
            Capability::Placement => Cow::Borrowed(
                "a server that is in no cluster places no streams; declare a placement for clusters alone",
            ),
            Capability::ResetConsumer => Cow::Owned(self.server().needs(Version::V2_14)),
            Capability::Scheduler | Capability::PromoteMirror => {
                Cow::Owned(self.server().needs(Version::V2_12))
            }
            Capability::Advisories => Cow::Borrowed(
                "advisories of another JetStream domain do not arrive here; let a stream of that domain store them",
            ),
            Capability::ValueHandover => Cow::Borrowed("encode the event: it leaves this process"),
            _ => Cow::Borrowed("use a transport that can"),
        }
    }

    /// The state of the first connection.
    pub(super) fn watch(&self) -> ConnectionWatch {
        self.monitor.watch()
    }

    /// The state of both connections, as users see it.
    pub(super) fn watch_both(&self) -> ConnectionWatch {
        self.monitor.watch_both()
    }

    /// How many connections there have been for publishing.
    pub(super) fn connections(&self) -> u64 {
        self.monitor.connections()
    }

    /// Whether a publish is sent now, or refused at once.
    pub(super) fn can_publish(&self) -> bool {
        !matches!(self.watch().current(), ConnectionState::Disconnected { .. })
    }

    /// The state of both connections, with their certificates.
    pub(super) fn connection_status(&self) -> ConnectionStatus {
        let mut status = self.monitor.status();
        status.certificates = self.options.tls.certificates();
        status
    }

    /// Whether both connections are connected.
    pub(super) fn is_connected(&self) -> bool {
        self.watch().current() == ConnectionState::Connected && self.receiver.link().is_connected()
    }

    /// Spawns a task in the runtime of the connection.
    pub(super) fn spawn(&self, rest: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(rest);
    }

    /// Lets timers and tasks find the runtime of the connection, until this is dropped.
    pub(super) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// The monitor of the connection.
    pub(super) fn monitor(&self) -> &Arc<ConnectionMonitor> {
        &self.monitor
    }

    /// A watch on the phase of the transport.
    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.monitor.phase()
    }

    /// Permission violations that the server reports from now on.
    pub(super) fn denials(&self) -> broadcast::Receiver<Denial> {
        self.monitor.denials()
    }

    /// A subject of the JetStream API: `<prefix>.<call>`.
    pub(super) fn api(&self, call: impl fmt::Display) -> String {
        format!("{}.{call}", self.options.api_prefix)
    }

    /// A unique subject for replies.
    pub(super) fn new_inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// Refuses new operations after [`begin_drain`](Self::begin_drain) and [`end`](Self::end).
    pub(super) fn check_open(&self, operation: Operation) -> Result<(), Error> {
        if self.monitor.is_open() {
            Ok(())
        } else {
            Err(self.refusal(operation))
        }
    }

    /// The error of a refused operation, with the reason.
    pub(super) fn refusal(&self, operation: Operation) -> Error {
        self.monitor.refusal(operation)
    }

    /// Whether an error of a subscription is only the requested drain or close of the transport.
    pub(super) fn is_end(&self, error: &Error) -> bool {
        *error.kind() == ErrorKind::Closed && self.monitor.was_told_to_end()
    }

    /// Refuses operations after [`end`](Self::end); they are allowed during a drain.
    pub(super) fn check_not_ended(&self, operation: Operation) -> Result<(), Error> {
        if self.monitor.is_wanted() {
            Ok(())
        } else {
            Err(self.refusal(operation))
        }
    }

    /// Refuses an operation as soon as publishing is refused; it is allowed during a drain.
    pub(super) fn check_publishing(&self, operation: Operation) -> Result<(), Error> {
        if self.monitor.accepts_publishes() {
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

    /// Refuses new operations except publishing. Operations in progress continue, and deliveries
    /// can be settled.
    pub(super) fn begin_drain(&self) {
        self.monitor.begin_drain();
    }

    /// Refuses publishing too.
    pub(super) fn end_publishing(&self) {
        self.monitor.end_publishing();
    }

    /// Waits until every accepted publish is confirmed or has failed. Cancel-safe.
    pub(super) async fn confirmed(&self) {
        let plain = self.plain.get();
        while !self.send_queue.is_idle() || plain.is_some_and(|plain| !plain.is_idle()) {
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Ends the connection: accepted messages are still written, all other operations are refused.
    pub(super) fn end(&self) {
        self.monitor.end();
    }

    /// Ends the connection and waits until it has ended. Cancel-safe: dropping the future does not
    /// stop it.
    pub(super) async fn close(&self) {
        self.close_by(Instant::now() + CLOSING).await;
    }

    /// Like [`close`](Self::close), but waits at most until `deadline`.
    pub(super) async fn close_by(&self, deadline: Instant) {
        self.end();
        let mut watch = self.watch();
        let closed = async {
            while watch.current() != ConnectionState::Closed {
                watch.changed().await;
            }
            self.receiver.ended().await;
        };
        // A paused server does not read, so that writing never completes.
        let _ = tokio::time::timeout_at(deadline, closed).await;
    }
}

impl Drop for NatsContext {
    fn drop(&mut self) {
        self.monitor.end();
    }
}

/// Sends queued messages, and ends the connection when the transport has ended.
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
        // An error means that the connection has already ended.
        let _ = client.flush().await;
        let _ = client.drain().await;
    };
    let _ = tokio::time::timeout(CLOSING, written).await;
    guard.finished = true;
    monitor.closed();
}

/// Detects the end of the runtime, which drops its tasks.
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

/// The inbox of a connection: a unique prefix. It is shorter than the client's, because it is sent
/// with each message and each reply. It is not derived from the client's, because with async-nats's
/// feature `nuid` all inboxes of one process begin with the same characters.
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

//! `CoreNats`: publish and subscribe without streams, at most once.

mod subscription;
mod waiting;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::subscription::{CoreItem, CoreSubscription};

use super::Nats;
use super::connection::ConnectionWatch;
use super::consumer::Consumers;
use super::context::NatsContext;
use super::error::ErrorContext;
use super::headers;
use super::options::NatsOptions;
use super::publish::{check_headers, check_size};
use super::send_queue::{Outbound, PendingPublish, Sent};
use super::user;
use event_sdk_core::stream::check_name;
use event_sdk_core::transport::{
    Body, BoundConsumer, Capabilities, Capability, Completion, Confirmation, ConnectionStatus,
    Drained, Error, ErrorKind, Expectations, Operation, Prefetch, PublishRequest, Stored,
    SubscribeRequest, Subscription, Transport, TransportExt as _, UserInfo,
};

/// NATS without streams (core NATS): for events that may be lost.
///
/// **Publishing.** Each subscription that exists when a message is published receives it at most
/// once. Nothing is stored or acknowledged. A message is lost if there is no subscription, or if
/// the connection of a subscription is lost at that time. A publish completes when the connection
/// has accepted the message.
///
/// **Subscribing.** A subscription needs [`AckPolicy::None`] and [`DeliverPolicy::New`], and is
/// ephemeral or a group. The subscriptions of a group share its messages. Durables and all other
/// features that need a stream return [`Unsupported`](ErrorKind::Unsupported).
///
/// **Buffer.** A subscription buffers messages until they are read: up to 65,536 messages, or its
/// prefetch if that is higher, and up to 64 MiB. Further messages are dropped, and the notice
/// [`Dropped`] says how many. When the subscription ends, for example by a drain, the messages in
/// its buffer are dropped.
///
/// **Connections.** After a reconnect, a subscription reports [`Reconnected`]: messages that were
/// published while the connection was lost are lost too. A `CoreNats` that was created from a
/// [`Nats`](super::Nats) shares its connections; closing or draining either transport ends both.
///
/// **Groups.** Once a subscription of a group is dropped, messages that this transport publishes go
/// to the other subscriptions of the group.
///
/// **Unreadable messages.** A message whose subject or headers cannot be read is not delivered; the
/// log has a warning.
///
/// [`AckPolicy::None`]: event_sdk_core::transport::AckPolicy::None
/// [`DeliverPolicy::New`]: event_sdk_core::transport::DeliverPolicy::New
/// [`Dropped`]: event_sdk_core::transport::NoticeKind::Dropped
/// [`Reconnected`]: event_sdk_core::transport::NoticeKind::Reconnected
#[derive(Debug, Clone)]
pub struct CoreNats {
    context: Arc<NatsContext>,
    /// The subscriptions to consumers on the same connection, which end with the connection.
    consumers: Arc<Consumers>,
}

impl CoreNats {
    /// Connects to servers. They do not need JetStream.
    ///
    /// Cancel-safe: dropping the future stops connecting.
    ///
    /// # Errors
    ///
    /// The same as for [`Nats::connect`](super::Nats::connect).
    pub async fn connect(options: NatsOptions) -> Result<Self, Error> {
        Ok(Nats::connect(options).await?.core())
    }

    pub(super) fn new(context: Arc<NatsContext>, consumers: Arc<Consumers>) -> Self {
        Self { context, consumers }
    }

    /// Returns a watch on the state of the connection. After the first subscription, the watch
    /// covers both connections.
    pub fn connection(&self) -> ConnectionWatch {
        self.context.watch_both()
    }

    fn publish_now(
        &self,
        message: PublishRequest<'_>,
    ) -> Result<Completion<Result<(), Error>>, Error> {
        if let Some(missing) = message.needs().next() {
            return Err(self.unsupported(missing, Operation::Publish));
        }
        let PublishRequest {
            subject,
            headers,
            body: Body::Encoded(payload),
            ..
        } = message
        else {
            return Err(self.unsupported(Capability::ValueHandover, Operation::Publish));
        };
        let headers = headers::outgoing(&headers, None, &Expectations::default());
        let size = payload.len() + check_headers(Operation::Publish, headers.as_ref())?;
        check_size(
            Operation::Publish,
            size,
            self.context.client().max_payload(),
        )?;
        let sent = self.context.plain_send_queue().send(Outbound {
            subject,
            headers,
            payload,
            acked: false,
            resend: None,
            number: None,
        })?;
        Ok(match sent {
            Sent::Now(PendingPublish { .. }) => Completion::ready(Ok(())),
            Sent::Later(handed) => {
                let subject = subject.clone();
                Completion::later(async move {
                    match handed.await {
                        Ok(handed) => handed.map(drop),
                        Err(_) => Err(Error::closed(Operation::Publish).at_subject(subject)),
                    }
                })
            }
        })
    }
}

impl CoreNats {
    /// Lets what is published wait in the queue, in its order, until the server knows of the
    /// subscriptions that have left their groups: it could choose one of them, over the other
    /// connection.
    fn wait_for_departures(&self) {
        let Some(mut held_back) = self.context.plain_send_queue().hold_back() else {
            return;
        };
        let (context, limit) = (
            Arc::clone(&self.context),
            self.context.options().request_timeout,
        );
        self.context.spawn(async move {
            let receiver = context.receiver();
            let none_is_left = async {
                receiver.departed().await;
                // Another may have left meanwhile, and something been published after that.
                while !held_back.end_if(|| !receiver.has_departing()) {
                    receiver.departed().await;
                }
            };
            // One that does not answer in time is not waited for.
            let _ = tokio::time::timeout(limit, none_is_left).await;
        });
    }
}

impl Transport for CoreNats {
    fn name(&self) -> &'static str {
        "nats core"
    }

    fn capabilities(&self) -> Capabilities {
        let max_payload = self.context.server().max_payload;
        Capabilities::none(max_payload).with(Capability::SeveralFilters)
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        if self.context.receiver().has_departing() {
            self.wait_for_departures();
        }
        let subject = message.subject;
        match self.publish_now(message).map(Completion::try_into_ready) {
            Ok(Ok(handed)) => Completion::ready(handed.map(|()| done())),
            Ok(Err(handing)) => Completion::later(async move { handing.await.map(|()| done()) }),
            Err(error) => Completion::ready(Err(error.at_subject(subject))),
        }
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        let context = Arc::clone(&self.context);
        let supported = self.check_needs(request.needs(), Operation::Subscribe);
        self.context.later(Operation::Subscribe, async move {
            let about = ErrorContext::new(Operation::Subscribe);
            context.check_open(about.operation)?;
            check(&about, &request)?;
            supported?;
            let queue = request.config.name.as_str();
            let filters = &request.config.filters;
            let prefetch = request.prefetch.fixed_or(1);
            let subscription =
                CoreSubscription::open(&context, &about, filters, queue, prefetch).await?;
            Ok(Subscription::new(
                subscription,
                BoundConsumer::created(request.config),
            ))
        })
    }

    fn connections(&self) -> u64 {
        self.context.connections()
    }

    fn is_connected(&self) -> bool {
        self.context.can_publish()
    }

    fn connection_status(&self) -> ConnectionStatus {
        self.context.connection_status()
    }

    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        user::user(Arc::clone(&self.context))
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        Cow::Borrowed(match missing {
            Capability::ValueHandover => "encode the event: it leaves this process",
            Capability::Store => {
                "without a stream a subscription is a group or has no name, acknowledges nothing and begins with what is new: set `ack_policy(AckPolicy::None)` and `deliver(DeliverPolicy::New)`"
            }
            _ => STREAM_NEEDED,
        })
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        super::drain(&self.context, &self.consumers, within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        super::close(&self.context, &self.consumers)
    }
}

/// The confirmation of a message that no stream stores.
fn done() -> Confirmation {
    Completion::ready(Ok(Stored::new(None, None)))
}

const STREAM_NEEDED: &str =
    "that needs a stream; use the `Nats` transport on a server with JetStream";

/// Validates a subscribe request.
fn check(about: &ErrorContext, request: &SubscribeRequest) -> Result<(), Error> {
    let config = &request.config;
    let refused = |reason: &str| Err(about.error(ErrorKind::InvalidOption, reason));
    if let Some(name) = config.name.as_str()
        && let Err(why) = check_name(name)
    {
        return refused(&format!("a group cannot have the name {name:?}: {why}"));
    }
    if request.prefetch == Prefetch::Fixed(0) {
        return refused(
            "a subscription takes at least one message ahead; set prefetch to one or more",
        );
    }
    if let Err(reason) = config.check_filters() {
        return refused(&reason);
    }
    Ok(())
}

//! `Broker`: the connection of the control, which publishes and fetches bytes: the streams of this
//! process, or those of a NATS server by plain async-nats.

use std::time::Duration;

use async_nats::jetstream::{self, consumer::PullConsumer, consumer::pull};
use bytes::Bytes;
use event_sdk::transport::DeliverPolicy;
use event_sdk::{Delivery, EventBus, Pattern, Subscriber, Untyped};
use futures_util::StreamExt as _;

use crate::node::SHORT_ACK_WAIT;
use crate::services::Service;

/// A connection.
#[derive(Clone)]
pub(crate) enum Broker {
    /// The streams of this process.
    Memory(EventBus),
    /// A NATS server.
    Nats(Box<jetstream::Context>),
}

/// A durable consumer.
pub(crate) enum Messages {
    Memory(Box<Subscriber<Untyped>>),
    Nats(Box<Fetched>),
}

/// Messages that were fetched from a server.
pub(crate) struct Fetched {
    consumer: PullConsumer,
    batch: Option<pull::Batch>,
}

/// A message that was delivered.
pub(crate) enum Message {
    Memory(Box<Delivery<Untyped>>),
    Nats(Box<jetstream::Message>),
}

impl Broker {
    /// Connects to a NATS server.
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let client = async_nats::connect(url).await?;
        Ok(Self::Nats(Box::new(jetstream::new(client))))
    }

    /// Publishes bytes to a relative subject.
    pub(crate) async fn publish(&self, subject: &'static str, body: String) -> anyhow::Result<()> {
        match self {
            Self::Memory(bus) => drop(bus.raw().publish(subject, body).await?),
            // It waits until the message is sent, as examples do, and not for the confirmation.
            Self::Nats(context) => {
                let subject = format!("events.{subject}");
                drop(context.publish(subject, body.into()).await?);
            }
        }
        Ok(())
    }

    /// The durable consumer of a service in a stream.
    pub(crate) async fn subscribe(
        &self,
        service: Service,
        stream: &'static str,
    ) -> anyhow::Result<Messages> {
        let subjects = service.subjects_in(stream);
        match self {
            Self::Memory(bus) => {
                let subjects: Result<Vec<_>, _> = subjects.map(Pattern::parse).collect();
                let subscribe = bus.raw().subscribe_all(subjects?).stream(stream);
                let durable = subscribe.durable(service.consumer());
                let subscriber = durable.deliver(DeliverPolicy::All).await?;
                Ok(Messages::Memory(Box::new(subscriber)))
            }
            Self::Nats(context) => {
                let config = pull::Config {
                    durable_name: Some(service.consumer().to_owned()),
                    filter_subjects: subjects.map(|it| format!("events.{it}")).collect(),
                    max_deliver: 3,
                    ack_wait: SHORT_ACK_WAIT,
                    ..pull::Config::default()
                };
                let stream = context.get_stream(stream).await?;
                let consumer = stream.get_or_create_consumer(service.consumer(), config);
                Ok(Messages::Nats(Box::new(Fetched {
                    consumer: consumer.await?,
                    batch: None,
                })))
            }
        }
    }
}

impl Messages {
    /// Waits for the next message.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Message> {
        match self {
            Self::Memory(subscriber) => match subscriber.next().await {
                Some(delivery) => Ok(Message::Memory(Box::new(delivery?))),
                None => anyhow::bail!("the bus was closed"),
            },
            Self::Nats(fetched) => Ok(Message::Nats(Box::new(fetched.next().await))),
        }
    }
}

impl Fetched {
    /// Ten messages at a time, for five seconds. A fetch that fails is repeated.
    async fn next(&mut self) -> jetstream::Message {
        loop {
            if let Some(batch) = &mut self.batch
                && let Some(Ok(message)) = batch.next().await
            {
                return message;
            }
            let fetch = self.consumer.fetch().max_messages(10);
            self.batch = fetch.expires(Duration::from_secs(5)).messages().await.ok();
            if self.batch.is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Message {
    /// The whole subject.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Memory(delivery) => delivery.subject().as_str(),
            Self::Nats(message) => message.subject.as_str(),
        }
    }

    pub(crate) fn body(&self) -> anyhow::Result<Bytes> {
        Ok(match self {
            Self::Memory(delivery) => delivery.body()?,
            Self::Nats(message) => message.payload.clone(),
        })
    }

    pub(crate) async fn ack(&self) -> anyhow::Result<()> {
        match self {
            Self::Memory(delivery) => Ok(delivery.ack().await?),
            Self::Nats(message) => message.ack().await.map_err(anyhow::Error::from_boxed),
        }
    }
}

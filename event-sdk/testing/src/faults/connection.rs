//! The calls of a connection with faults: publishes and subscriptions.

use event_sdk::transport::{
    Completion, Confirmation, Error, ErrorKind, Operation, PublishRequest, SubscribeRequest,
    Subscription, Transport,
};

use super::Fault;
use super::deliveries::FaultyDeliveries;
use super::injector::{Injector, never};
use crate::intercept::{Intercept, Intercepted};

/// A transport with injected faults, created by [`Faults::around`](super::Faults::around).
pub type FaultyTransport<T> = Intercepted<T, Injector>;

impl Intercept for Injector {
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        if self.is_dead() {
            return never();
        }
        let subject = message.subject.clone();
        let lost = |reason: &str| {
            let kind = ErrorKind::Disconnected;
            Error::new(kind, Operation::Publish, reason).at_subject(&subject)
        };
        if self.injects(Fault::PublishNotStored, subject.as_str()) {
            return Completion::ready(Err(lost("an injected fault: it was not sent")));
        }
        if !self.injects(Fault::PublishStored, subject.as_str()) {
            return inner.publish(message);
        }
        let publishing = inner.publish(message);
        let error = lost("an injected fault: the confirmation was lost").with_unknown_outcome();
        Completion::later(async move {
            let confirmation = publishing.await?;
            Ok(Completion::later(async move {
                confirmation.await?;
                Err(error)
            }))
        })
    }

    fn subscribe(
        &self,
        inner: &dyn Transport,
        request: SubscribeRequest,
    ) -> Completion<Result<Subscription, Error>> {
        if self.is_dead() {
            return never();
        }
        let consumer = request.config.name.as_str().unwrap_or("-").to_owned();
        let injector = self.clone();
        // The subscription follows the settings of a consumer that exists already, whose ack wait
        // may be shorter.
        let with_faults = move |subscription: Subscription| {
            let ack_wait = subscription.bound.config.ack_wait;
            subscription.map_deliveries(|deliveries| {
                FaultyDeliveries::new(deliveries, injector, consumer, ack_wait)
            })
        };
        match inner.subscribe(request).try_into_ready() {
            Ok(subscribed) => Completion::ready(subscribed.map(with_faults)),
            Err(subscribing) => {
                Completion::later(async move { Ok(with_faults(subscribing.await?)) })
            }
        }
    }

    fn call<T: Send + 'static>(
        &self,
        _: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        if self.is_dead() { never() } else { make() }
    }
}

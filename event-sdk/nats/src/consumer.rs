//! Consumers: bound or created, pulled from, settled.
//!
//! A subscription has one consumer, one inbox for what the consumer sends, and
//! no task of its own: it asks for messages when it is polled. What is its own
//! affair stands in `subscription`, what others may do to it in `core`.

mod all;
mod bind;
mod check;
mod config;
mod core;
mod denied;
mod exhausted;
mod held;
mod inbox;
mod leave;
mod mend;
mod pull;
mod reply;
mod send;
mod settle;
mod status;
mod subjects;
mod subscription;

pub(super) use all::Consumers;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tokio::task::coop::unconstrained;

use self::core::Core;
use self::denied::denied;
use self::exhausted::Reports;
use self::inbox::Inbox;
use self::settle::Via;
use self::subscription::{Denied, NatsSubscription};
use super::fault::About;
use super::link::Link;
use super::options::Management;
use super::streams;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Answer, Capability, Error, Operation, SubscribeRequest, Subscription,
};

/// Binds or creates a consumer and receives from it.
pub(super) fn subscribe(
    link: Arc<Link>,
    request: SubscribeRequest,
) -> Answer<Result<Subscription, Error>> {
    Answer::later(async move {
        let via = Via::new(Arc::clone(&link), request.stream.clone(), &request.config);
        let about = via.about(Operation::Subscribe);
        let opened = open(&link, via, request).await;
        // It may have been closed meanwhile, whatever came of that.
        link.check_open(Operation::Subscribe)
            .map_err(|closed| about.on(closed))?;
        Ok(Box::pin(opened?) as Subscription)
    })
}

async fn open(link: &Link, via: Via, request: SubscribeRequest) -> Result<NatsSubscription, Error> {
    let about = via.about(Operation::Subscribe);
    link.check_open(Operation::Subscribe)?;
    check::request(link, &request, &about)?;
    // Before anything is sent, so that none is missed.
    let denials = link.denials();
    // Before the consumer, which is not to be left behind if that fails.
    let inbox = Inbox::open(link, &about).await?;
    let config = Arc::new(request.config);
    let bound = bind::bind(link, &request.stream, &config, &about).await?;
    let consumer = bound.name.clone();
    let core = Core::new(via, &config, bound, inbox, request.prefetch);
    let core = Arc::new(core);
    link.consumers().add(&core);
    let reports = match config.max_deliver {
        Some(most) if core.acks && link.capabilities().has(Capability::ReportsExhausted) => {
            Some(Reports::open(Arc::clone(&core.via), &consumer, most.get()).await?)
        }
        _ => None,
    };
    // It is looked at when a task has used up what tokio gives it at a time, too.
    let denied: Denied = Box::pin(unconstrained(denied(denials, Arc::clone(&core))));
    // From here on it leaves nothing behind when it is dropped.
    let mut subscription = NatsSubscription::new(core, config, reports, denied);
    if link.options().management == Management::Never {
        // Otherwise the server has answered to a question.
        link.round_trip(&about).await?;
    }
    subscription.check_allowed()?;
    Ok(subscription)
}

/// Removes a consumer.
pub(super) fn delete(link: Arc<Link>, stream: Text, consumer: Text) -> Answer<Result<(), Error>> {
    #[derive(Deserialize)]
    struct Deleted {}
    Answer::later(async move {
        let about = About::new(Operation::Manage)
            .stream(stream.clone())
            .consumer(consumer.clone());
        link.check_open(about.operation)
            .map_err(|error| about.on(error))?;
        streams::check(&about, &stream)?;
        streams::check(&about, &consumer)?;
        let call = format!("CONSUMER.DELETE.{stream}.{consumer}");
        let Deleted {} = link.request(&about, &call, &json!({})).await?;
        Ok(())
    })
}

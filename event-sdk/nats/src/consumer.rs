//! Subscribing: checks the request, binds or creates the consumer, and opens its subscription.
//!
//! A subscription has one consumer, one inbox for what the consumer sends, and no task of its own:
//! it requests messages when it is polled. `subscription` has the code that only the subscription
//! itself runs, `pull_loop` the operations that others may call on it.

mod ack_context;
mod ack_pending;
mod admin;
mod all;
mod apply;
mod away;
mod bind;
mod check;
mod config;
mod cumulative;
mod denied;
mod exhausted;
mod gaps;
mod inbox;
mod message;
mod pace;
mod prefetch;
mod progress;
mod pull;
mod pull_loop;
mod queue;
mod recovery;
mod reply;
mod send;
mod settle;
mod shutdown;
mod status;
mod subjects;
mod subscription;
mod went_back;

pub(super) use admin::{count_led, delete, info, list, pause, reset};
pub(super) use all::Consumers;
pub(super) use config::Wire;

use std::sync::Arc;

use tokio::task::coop::unconstrained;

use self::ack_context::AckContext;
use self::denied::denied;
use self::exhausted::Reports;
use self::gaps::Gaps;
use self::inbox::Inbox;
use self::pull_loop::PullLoop;
use self::subscription::{Denied, NatsSubscription};
use super::context::NatsContext;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Capability, Completion, ConsumerChange, ConsumerConfig, Error, Operation, SubscribeRequest,
    Subscription,
};

/// Binds or creates a consumer and receives from it.
pub(super) fn subscribe(
    context: Arc<NatsContext>,
    consumers: Arc<Consumers>,
    request: SubscribeRequest,
) -> Completion<Result<Subscription, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Subscribe, async move {
        let ack_context = AckContext::new(
            Arc::clone(&context),
            request.stream.clone(),
            &request.config,
        );
        let about = ack_context.about(Operation::Subscribe);
        let opened = open(&context, &consumers, ack_context, request).await;
        // It may have been closed meanwhile, whatever came of that.
        context
            .check_open(Operation::Subscribe)
            .map_err(|closed| about.on(closed))?;
        opened
    })
}

async fn open(
    context: &NatsContext,
    consumers: &Consumers,
    ack_context: AckContext,
    request: SubscribeRequest,
) -> Result<Subscription, Error> {
    let about = ack_context.about(Operation::Subscribe);
    context.check_open(Operation::Subscribe)?;
    check::request(context, &request, &about)?;
    // Before anything is sent, so that none is missed.
    let denials = context.denials();
    // Before the consumer, which is not to be left behind if that fails.
    let inbox = Inbox::open(context, &about).await?;
    let bound = bind::bind(
        context,
        &request.stream,
        &request.config,
        request.must_exist,
        &about,
    )
    .await?;
    let binding = (*bound.consumer).clone();
    // What the server has is what holds, whatever was asked for.
    let config = Arc::new(binding.config.clone());
    let pull_loop = PullLoop::new(ack_context, &config, bound.clone(), inbox, request.prefetch);
    let pull_loop = Arc::new(pull_loop);
    // From here on nothing is left behind when this is given up.
    let mut unopened = Unopened(Some(Arc::clone(&pull_loop)));
    consumers.add(&pull_loop);
    let reports = match config.max_deliver {
        Some(most)
            if pull_loop.acks && context.capabilities().has(Capability::ReportsExhausted) =>
        {
            let ack_context = Arc::clone(&pull_loop.ack_context);
            Some(Reports::open(ack_context, &bound, &config, most.get()).await?)
        }
        _ => None,
    };
    let gaps = Gaps::open(Arc::clone(&pull_loop.ack_context), &config, &bound).await;
    if let (true, Some(subjects)) = (bound.found_empty, gaps.subjects()) {
        // What has something left goes on until that is handled.
        check::matching(subjects, &request.config.filters, &about)?;
    }
    // It is looked at when a task has used up what tokio gives it at a time, too.
    let denied: Denied = Box::pin(unconstrained(denied(denials, Arc::clone(&pull_loop))));
    let mut subscription = NatsSubscription::new(pull_loop, config, reports, gaps, denied);
    // The subscription itself leaves nothing behind.
    unopened.0 = None;
    // Then the server has said what it denies.
    let receiver = context.receiver();
    if receiver.flush(&about).await.is_err() {
        // The connection was lost in this moment.
        receiver.open(&about).await?;
        receiver.flush(&about).await?;
    }
    subscription.check_allowed()?;
    Ok(Subscription::new(subscription, binding))
}

/// A subscription that is being opened: its ephemeral consumer is deleted if that fails or is
/// given up.
struct Unopened(Option<Arc<PullLoop>>);

impl Drop for Unopened {
    fn drop(&mut self) {
        if let Some(pull_loop) = self.0.take() {
            pull_loop.abandon();
        }
    }
}

/// Creates a durable, or changes it.
pub(super) fn apply(
    context: Arc<NatsContext>,
    stream: Text,
    config: ConsumerConfig,
) -> Completion<Result<ConsumerChange, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Manage, async move {
        apply::apply(&context, &stream, &config).await
    })
}

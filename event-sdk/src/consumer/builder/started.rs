//! `Started`: a consumer that can be run.

use std::future::Future;

use event_sdk_core::transport::Error;

use crate::consumer::engine::Engine;
use crate::consumer::owned::Owned;
use crate::consumer::report::ConsumerReport;

/// A consumer that can be run.
pub(in crate::consumer) enum Started {
    /// It has its subscriptions.
    Engine(Box<Engine>),
    /// It waits until it is the owner.
    Owned(Box<Owned>),
}

impl Started {
    /// Runs until the subscription ends or the `signal` completes, and the drain after it.
    pub(in crate::consumer) async fn run(
        self,
        signal: impl Future<Output = ()> + Send,
    ) -> Result<ConsumerReport, Error> {
        match self {
            Self::Engine(engine) => engine.run(signal).await,
            // A large future, once for each consumer.
            Self::Owned(owned) => Box::pin(owned.run(signal)).await,
        }
    }
}

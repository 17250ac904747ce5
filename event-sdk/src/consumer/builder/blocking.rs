//! Handlers that block their threads.

use event_sdk_core::EventSet;

use super::Consumer;
use crate::consumer::{Ctx, Outcome, Takes, handlers};

/// Handlers that block their threads.
impl<S: EventSet> Consumer<S> {
    /// Handles the event `P` with a function that blocks its thread. The function runs on one of
    /// tokio's threads for blocking work.
    ///
    /// The function cannot be cancelled. If it exceeds the time limit, it continues to run. The
    /// consumer holds the event until the function returns, and uses its result.
    pub fn on_blocking<P, F>(mut self, handle: F) -> Self
    where
        P: 'static,
        F: Fn(P, Ctx) -> Outcome + Takes<S, P> + Send + Sync + 'static,
    {
        let handle = move |event, ctx| handle(F::give(event), ctx);
        self.handlers.add::<F::Event>(handlers::blocking(handle));
        self
    }

    /// Like [`on_blocking`](Self::on_blocking), with a clone of `state` for each attempt.
    pub fn on_blocking_with<T, P, F>(mut self, state: T, handle: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        P: 'static,
        F: Fn(T, P, Ctx) -> Outcome + Takes<S, P> + Send + Sync + 'static,
    {
        let handle = move |event, ctx| handle(state.clone(), F::give(event), ctx);
        self.handlers.add::<F::Event>(handlers::blocking(handle));
        self
    }
}

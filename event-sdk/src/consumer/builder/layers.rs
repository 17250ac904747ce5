//! The layers of a consumer: `tower` middleware around each attempt.

use tower_layer::Layer;
use tower_service::Service;

use super::Consumer;
use crate::consumer::layer::{Attempt, AttemptService};

/// Layers.
impl<S> Consumer<S> {
    /// Adds a layer of [`tower`](https://docs.rs/tower) around each attempt to handle an event, for
    /// example for limits, time limits of single events, logs or metrics. Layers compose as in
    /// tower's `ServiceBuilder`: the layer that was added first is the outermost layer. A
    /// `ServiceBuilder` is a layer, too.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tower::limit::ConcurrencyLimitLayer;
    /// use tower::timeout::TimeoutLayer;
    /// # use event_sdk::{Event, EventBus};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event, Serialize, Deserialize)]
    /// # #[event(domain = "orders")]
    /// # struct OrderPlaced { id: u64 }
    /// # let bus = EventBus::memory();
    ///
    /// let consumer = bus
    ///     .consumer::<OrderPlaced>("billing")
    ///     .concurrency(32)
    ///     .layer(ConcurrencyLimitLayer::new(4))
    ///     .layer(TimeoutLayer::new(Duration::from_secs(5)))
    ///     .on(|order: OrderPlaced, _| async { Ok(()) });
    /// ```
    ///
    /// Retry, circuit breaker, keep-alive, the [time limit](Self::handler_timeout), dead letters
    /// and order are not layers, and lie outside of all layers. A layer wraps one [`Attempt`]. The
    /// next attempt of the event goes through the layers again.
    ///
    /// **Readiness.** The consumer calls a service only when the service is ready. Until then the
    /// consumer holds the event, and restarts the ack wait of the event. During this time no
    /// attempt is counted, and no time limit runs. An error of `poll_ready` is an outage.
    ///
    /// **Errors.** A [`Failure`](super::super::Failure) of the handler passes unchanged, in an
    /// [`AttemptError`](super::super::AttemptError). `Elapsed` of tower 0.5 is a retry, and
    /// `Overloaded` an outage. Any other error has the class that
    /// [`Failure::class_of`](super::super::Failure::class_of) returns. If a layer returns without
    /// calling the service inside it, its result is the outcome. With `Ok(())` the event is
    /// acknowledged, although its handler has not run.
    ///
    /// **Blocking handlers** ([`on_blocking`](Self::on_blocking)) continue when a layer drops them.
    /// The attempt then ends with the layer's error, after the handler has returned.
    ///
    /// One task calls the service, or the clones of the service that layers make. Put a service
    /// that is not `Clone`, such as `RateLimit`, behind tower's `Buffer`.
    ///
    /// A consumer with layers and [`on_batches`](Self::on_batches) does not start, because an
    /// [`Attempt`] has one event.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<AttemptService> + Send + Sync + 'static,
        L::Service: Service<Attempt, Response = ()> + Clone + Send + 'static,
        <L::Service as Service<Attempt>>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        <L::Service as Service<Attempt>>::Future: Send + 'static,
    {
        self.layers.add(layer);
        self
    }
}

//! `Attempt`: one attempt to handle an event, as the request of `tower` layers around the handlers.

mod error;
mod service;

use std::fmt;

use tokio::sync::oneshot;
use tower_layer::Layer;
use tower_service::Service;

use super::Ctx;
use super::handlers::{Call, Handler};

pub use self::error::AttemptError;
pub(super) use self::error::stop_of;
pub use self::service::{AttemptFuture, AttemptService};

/// What layers accept as an error.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One attempt to handle an event: the request of the layers of
/// [`Consumer::layer`](super::Consumer::layer).
///
/// An attempt cannot be cloned, so a layer cannot repeat it. The consumer repeats attempts by its
/// policy ([`Consumer::retry`](super::Consumer::retry)): it keeps the event alive, counts the
/// attempts and writes the dead letter.
pub struct Attempt {
    ctx: Ctx,
    call: Call,
    /// Of a handler that blocks its thread: dropped when it has returned.
    returned: Option<oneshot::Sender<()>>,
}

impl Attempt {
    /// An attempt, and what completes when a handler that blocks its thread has returned.
    pub(super) fn new(handler: &Handler, ctx: Ctx) -> (Self, Option<oneshot::Receiver<()>>) {
        let (returned, end) = if handler.blocking {
            let (returned, end) = oneshot::channel();
            (Some(returned), Some(end))
        } else {
            (None, None)
        };
        let call = handler.call.clone();
        let attempt = Self {
            ctx,
            call,
            returned,
        };
        (attempt, end)
    }

    /// The context that the handler gets: envelope, message, number of the attempt, consumer.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

type Wrap = Box<dyn FnOnce(AttemptService) -> AttemptService + Send + Sync>;

/// The layers of a consumer, the outermost first.
#[derive(Default)]
pub(super) struct Layers(Vec<Wrap>);

impl Layers {
    pub(super) fn add<L>(&mut self, layer: L)
    where
        L: Layer<AttemptService> + Send + Sync + 'static,
        L::Service: Service<Attempt, Response = ()> + Clone + Send + 'static,
        <L::Service as Service<Attempt>>::Error: Into<BoxError>,
        <L::Service as Service<Attempt>>::Future: Send + 'static,
    {
        let wrap = move |inner| AttemptService::new(layer.layer(inner));
        self.0.push(Box::new(wrap));
    }

    /// The layers around the handlers; `None` without layers.
    pub(super) fn into_service(self) -> Option<AttemptService> {
        if self.0.is_empty() {
            return None;
        }
        let wraps = self.0.into_iter().rev();
        Some(wraps.fold(AttemptService::of_handlers(), |inner, wrap| wrap(inner)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

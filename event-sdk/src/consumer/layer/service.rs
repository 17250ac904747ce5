//! `AttemptService`: handlers, or layers around them, as a service of one type.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;
use tracing::Instrument as _;

use super::{Attempt, AttemptError, BoxError};
use crate::consumer::handlers::panicked;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};

/// The service that a layer of [`Consumer::layer`](super::super::Consumer::layer) wraps: the layers
/// further inside, and the handlers.
///
/// The innermost service runs the handler. Its errors are [`AttemptError`]s, and it is always
/// ready.
pub struct AttemptService(Box<dyn Erased>);

/// The future of an [`AttemptService`].
pub type AttemptFuture =
    Pin<Box<dyn Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send>>;

/// A service without its type.
trait Erased: Send {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
    fn call(&mut self, attempt: Attempt) -> AttemptFuture;
    fn copy(&self) -> Box<dyn Erased>;
}

impl AttemptService {
    pub(super) fn new<S>(service: S) -> Self
    where
        S: Service<Attempt, Response = ()> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self(Box::new(Typed(service)))
    }

    /// The innermost service.
    pub(super) fn of_handlers() -> Self {
        Self::new(Handlers)
    }
}

impl Clone for AttemptService {
    fn clone(&self) -> Self {
        Self(self.0.copy())
    }
}

impl Service<Attempt> for AttemptService {
    type Response = ();
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = AttemptFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        self.0.call(attempt)
    }
}

impl fmt::Debug for AttemptService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptService").finish_non_exhaustive()
    }
}

struct Typed<S>(S);

impl<S> Erased for Typed<S>
where
    S: Service<Attempt, Response = ()> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, attempt: Attempt) -> AttemptFuture {
        let answer = self.0.call(attempt);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }

    fn copy(&self) -> Box<dyn Erased> {
        Box::new(Self(self.0.clone()))
    }
}

/// Runs the handler of an attempt.
#[derive(Clone)]
struct Handlers;

impl Service<Attempt> for Handlers {
    type Response = ();
    type Error = AttemptError;
    type Future = Pin<Box<dyn Future<Output = Result<(), AttemptError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AttemptError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        let Attempt {
            ctx,
            call,
            returned,
        } = attempt;
        let running = async move { call(ctx).await };
        match returned {
            None => Box::pin(async move { running.await.map_err(AttemptError::from) }),
            // A layer may drop the future, but the handler runs on until it returns.
            Some(returned) => Box::pin(async move {
                let running = async move {
                    let outcome = running.await;
                    drop(returned);
                    outcome
                };
                let task = tokio::spawn(running.in_current_span());
                let outcome = match task.await {
                    Ok(outcome) => outcome,
                    Err(error) if error.is_panic() => Err(Stop::Failed(panicked())),
                    Err(_) => Err(Stop::Failed(Failure::of_consumer(
                        FailureClass::Outage,
                        "the runtime ended",
                    ))),
                };
                outcome.map_err(AttemptError::from)
            }),
        }
    }
}

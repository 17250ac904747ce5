//! `LoginCallback`: asks the program for a login at each connect and reconnect.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use super::super::masked::FreeText;
use super::login::{Login, NatsLogin};

/// The error of a callback of [`login_from`](crate::NatsOptions::login_from).
pub type LoginError = Box<dyn std::error::Error + Send + Sync>;

/// The callback of [`login_from`](crate::NatsOptions::login_from).
#[derive(Clone)]
pub(crate) struct LoginCallback(Arc<dyn Fn() -> Asking + Send + Sync>);

/// A call of the callback.
struct Asking(Mutex<Pin<Box<Call>>>);

type Call = dyn Future<Output = Result<NatsLogin, LoginError>> + Send;

impl LoginCallback {
    pub(crate) fn new<F, Fut>(callback: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<NatsLogin, LoginError>> + Send + 'static,
    {
        Self(Arc::new(move || Asking(Mutex::new(Box::pin(callback())))))
    }

    /// Calls it. The error has the reason, without what looks like a secret.
    pub(super) async fn login(&self) -> Result<Login, String> {
        let NatsLogin(login) = (self.0)().await.map_err(|error| {
            let reason = error.to_string();
            format!("`login_from` returned no login: {}", FreeText::new(&reason))
        })?;
        Ok(login)
    }
}

/// async-nats wants a future that is `Sync`, which few futures of programs are: hence the mutex.
/// It is never locked, since only its owner polls the future.
impl Future for Asking {
    type Output = Result<NatsLogin, LoginError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        future.as_mut().poll(cx)
    }
}

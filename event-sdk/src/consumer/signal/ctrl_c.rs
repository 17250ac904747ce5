//! `Signals`: Ctrl-C on systems without Unix signals.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What one future waits for.
pub(super) struct Signals(Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>);

impl Signals {
    pub(super) fn new() -> Self {
        Self(Box::pin(tokio::signal::ctrl_c()))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                tokio::spawn(async {
                    if tokio::signal::ctrl_c().await.is_ok() {
                        std::process::exit(130);
                    }
                });
                Poll::Ready(())
            }
            Poll::Ready(Err(error)) => {
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    "Ctrl-C cannot be awaited, and ends the process at once: {error}"
                );
                self.0 = Box::pin(std::future::pending());
                Poll::Pending
            }
        }
    }
}

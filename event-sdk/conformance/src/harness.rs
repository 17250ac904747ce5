//! `Harness`: implemented by an author of a transport to start and stop it for the suite.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use event_sdk_core::stream::StreamConfig;
use event_sdk_core::transport::Transport;

/// Why a harness could not start a transport.
pub type HarnessError = Box<dyn std::error::Error + Send + Sync>;

/// Starts the transports under test.
///
/// Cases run concurrently. Each starts its own transport with fresh names for streams, subjects and
/// consumers, so several transports can share one server. A case must not see the effects of
/// another case.
pub trait Harness: Send + Sync + 'static {
    /// The transport.
    type Transport: Transport;

    /// Starts a transport with these empty streams; `streams` may be empty.
    ///
    /// The clock of the transport must run, since cases wait for the end of ack waits.
    ///
    /// # Errors
    ///
    /// Any error; the case fails with its message.
    fn start(
        &self,
        streams: Vec<StreamConfig>,
    ) -> impl Future<Output = Result<Self::Transport, HarnessError>> + Send;

    /// Starts two transports that share the same empty streams, like two processes on one server.
    ///
    /// The default calls [`start`](Self::start) twice with the same streams. It suits transports
    /// whose streams are on a server and may already exist. Override it if the streams are in the
    /// transport's process.
    ///
    /// # Errors
    ///
    /// Any error; the case fails with its message.
    fn start_two(
        &self,
        streams: Vec<StreamConfig>,
    ) -> impl Future<Output = Result<[Self::Transport; 2], HarnessError>> + Send {
        async move {
            let first = self.start(streams.clone()).await?;
            match self.start(streams.clone()).await {
                Ok(second) => Ok([first, second]),
                Err(error) => {
                    self.stop(&first, &streams).await;
                    Err(error)
                }
            }
        }
    }

    /// Stops a transport after its case has passed or failed; it may already be closed.
    ///
    /// The default closes the transport. If streams are on a server, override it and remove them.
    /// `streams` lists the streams that only this transport uses, and those that its case may have
    /// created; the latter may not exist.
    fn stop(
        &self,
        transport: &Self::Transport,
        streams: &[StreamConfig],
    ) -> impl Future<Output = ()> + Send {
        let _ = streams;
        let closing = transport.close();
        async move {
            // Closed by its case already, it has nothing left to say.
            let _ = closing.await;
        }
    }

    /// Removes a bucket that a case may have created, before the transport is stopped. The bucket
    /// may not exist, and the transport may already be closed.
    ///
    /// The default does nothing. It suits transports whose buckets end with the transport. If
    /// buckets are on a server, override it.
    fn remove_bucket(
        &self,
        transport: &Self::Transport,
        bucket: &str,
    ) -> impl Future<Output = ()> + Send {
        let _ = (transport, bucket);
        async {}
    }

    /// Returns a fresh name of at most 40 letters and digits.
    ///
    /// The names of the default are globally unique.
    fn fresh_name(&self) -> String {
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        let number = GIVEN.fetch_add(1, Ordering::Relaxed);
        format!("c{}x{number}", &Uuid::new_v4().simple().to_string()[8..])
    }
}

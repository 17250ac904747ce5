//! `Harness`: implemented by an author of a transport to start and stop it for the suite.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use event_sdk_core::stream::StreamConfig;
use event_sdk_core::transport::Transport;

/// Why a harness could not start a transport.
pub type HarnessError = Box<dyn std::error::Error + Send + Sync>;

/// Starts the transport that the suite is to try, as often as it likes.
///
/// The cases run at the same time and each starts a transport of its own, so
/// what one case does must not be seen by another. Each uses names of its own
/// too (for streams, subjects and consumers), so that several of them can
/// share one server.
pub trait Harness: Send + Sync + 'static {
    /// The transport.
    type Transport: Transport;

    /// Starts a transport that has `streams` and nothing in them; there may be
    /// none.
    ///
    /// Its clock has to run: the cases wait for what happens after an ack wait.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; the case fails with its message.
    fn start(
        &self,
        streams: Vec<StreamConfig>,
    ) -> impl Future<Output = Result<Self::Transport, HarnessError>> + Send;

    /// Starts two transports that have the same `streams` and nothing in them, as
    /// two processes on one server have.
    ///
    /// This one [starts](Self::start) the same streams twice: right where they are
    /// on a server and starting what is there already takes it as it is. A
    /// transport whose streams are in its own process has to say how another one
    /// gets at them.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; the case fails with its message.
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

    /// Ends what [`start`](Self::start) began, when its case has passed or
    /// failed; the transport may have been closed already.
    ///
    /// This one closes the transport. A harness whose streams live on a server
    /// removes them here: `streams` has those that only this transport needs still,
    /// and those that its case may have created, which need not be there.
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

    /// A name that nobody has used: letters and digits, at most 40 of them.
    ///
    /// This one is unique in the world.
    fn fresh_name(&self) -> String {
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        let number = GIVEN.fetch_add(1, Ordering::Relaxed);
        format!("c{}x{number}", &Uuid::new_v4().simple().to_string()[8..])
    }
}

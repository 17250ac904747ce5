//! `Started`: the transports of a case, stopped however the case ends.

use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;
use super::fixture::{Applied, Fixture, Start, Starting};
use super::harness::{Harness, HarnessError};
use super::settings::Settings;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::transport::Transport;

/// The transports that one case has started.
pub(super) struct Started<H: Harness> {
    harness: Arc<H>,
    running: Arc<Mutex<Vec<Running<H::Transport>>>>,
    applied: Applied,
}

/// Transports, and the streams that they have.
struct Running<T> {
    transports: Vec<Arc<T>>,
    streams: Vec<StreamConfig>,
}

impl<H: Harness> Started<H> {
    pub(super) fn new(harness: Arc<H>) -> Self {
        Self {
            harness,
            running: Arc::default(),
            applied: Arc::default(),
        }
    }

    /// What the case is given.
    pub(super) fn fixture(&self, settings: Settings) -> Fixture {
        let starter = Starter {
            harness: Arc::clone(&self.harness),
            running: Arc::clone(&self.running),
        };
        let name = self.harness.fresh_name();
        Fixture::new(starter, Arc::clone(&self.applied), name, settings)
    }

    pub(super) async fn stop(self) {
        let running = take(&self.running);
        let mut applied = take(&self.applied);
        for Running {
            mut transports,
            mut streams,
        } in running
        {
            // The last removes the streams.
            let last = transports.pop();
            for transport in transports {
                self.harness.stop(&transport, &[]).await;
            }
            streams.append(&mut applied.streams);
            if let Some(last) = last {
                for bucket in applied.buckets.drain(..) {
                    self.harness.remove_bucket(&last, &bucket.name).await;
                }
                self.harness.stop(&last, &streams).await;
            }
        }
    }
}

fn take<T: Default>(mutex: &Mutex<T>) -> T {
    std::mem::take(&mut *mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Starts the transports of one case.
struct Starter<H: Harness> {
    harness: Arc<H>,
    running: Arc<Mutex<Vec<Running<H::Transport>>>>,
}

impl<H: Harness> Start for Starter<H> {
    fn one(&self, streams: Vec<StreamConfig>) -> Starting<Arc<dyn Transport>> {
        let (harness, running) = (Arc::clone(&self.harness), Arc::clone(&self.running));
        Box::pin(async move {
            let started = harness.start(streams.clone()).await;
            let transport = Arc::new(started.map_err(not_started)?);
            note(&running, vec![Arc::clone(&transport)], streams);
            Ok(transport as Arc<dyn Transport>)
        })
    }

    fn two(&self, streams: Vec<StreamConfig>) -> Starting<[Arc<dyn Transport>; 2]> {
        let (harness, running) = (Arc::clone(&self.harness), Arc::clone(&self.running));
        Box::pin(async move {
            let started = harness.start_two(streams.clone()).await;
            let transports = started.map_err(not_started)?.map(Arc::new);
            note(&running, transports.to_vec(), streams);
            Ok(transports.map(|transport| transport as Arc<dyn Transport>))
        })
    }
}

fn note<T>(running: &Mutex<Vec<Running<T>>>, transports: Vec<Arc<T>>, streams: Vec<StreamConfig>) {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    running.push(Running {
        transports,
        streams,
    });
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what an error is mapped with"
)]
fn not_started(why: HarnessError) -> Failure {
    Failure::new(format!("the harness could not start it: {why}"))
}

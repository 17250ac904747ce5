//! `Saboteur`: the harness that starts memory transports which break a promise.

use event_sdk::stream::{Limits, Retention, StreamConfig};
use event_sdk::transport::Capability;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk_conformance::{Harness, HarnessError};

use super::{Broken, Sabotage};
use crate::memory;

/// Starts memory transports that break a promise.
pub(crate) struct Saboteur(pub(crate) Sabotage);

impl Saboteur {
    /// What the streams are instead of what was asked for.
    fn distort(&self, streams: &mut [StreamConfig]) {
        for stream in streams {
            match self.0 {
                Sabotage::KeepsEverything => {
                    let discard = stream.limits.discard;
                    stream.limits = Limits::default();
                    stream.limits.discard = discard;
                }
                Sabotage::KeepsWhatWasAcked => stream.retention = Retention::Limits,
                Sabotage::KeepsQueuesByInterest
                    if stream.retention == Retention::WorkQueue && !stream.schedules =>
                {
                    stream.retention = Retention::Interest;
                }
                _ => {}
            }
        }
    }

    fn hands_over(&self) -> bool {
        self.0 != Sabotage::Pretends(Capability::ValueHandover)
    }
}

impl Harness for Saboteur {
    type Transport = Broken<MemoryTransport>;

    async fn start(&self, mut streams: Vec<StreamConfig>) -> Result<Self::Transport, HarnessError> {
        self.distort(&mut streams);
        let inner = memory::start(streams, self.hands_over())?;
        Ok(Broken::new(inner, self.0))
    }

    async fn start_two(
        &self,
        mut streams: Vec<StreamConfig>,
    ) -> Result<[Self::Transport; 2], HarnessError> {
        self.distort(&mut streams);
        let mut sides = memory::start_two(streams, self.hands_over())?;
        if self.0 == Sabotage::DrainsEverybody {
            sides[1] = sides[0].clone();
        }
        let [first, mut second] = sides.map(|inner| Broken::new(inner, self.0));
        second.coordination.is_second = true;
        Ok([first, second])
    }
}

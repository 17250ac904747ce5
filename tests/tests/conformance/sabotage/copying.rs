//! Broken promises of copies, which the memory transport does not have: see `nats.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use event_sdk::stream::{CopyFrom, StreamConfig};
use event_sdk::text::Text;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::{Completion, Error, StreamChange, StreamState, Transport};

use super::Sabotage;

/// The copies as they were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies(Arc<Mutex<HashMap<Text, StreamConfig>>>);

impl Copies {
    /// Applies another stream than was asked for.
    pub(super) fn apply<T: Transport>(
        &self,
        inner: Arc<T>,
        sabotage: Sabotage,
        config: &StreamConfig,
    ) -> Completion<Result<StreamChange, Error>> {
        let (asked, mut config) = (config.clone(), config.clone());
        self.0.lock().unwrap().insert(asked.name.clone(), asked);
        Completion::later(async move {
            if sabotage == Sabotage::CopiesEverything {
                for source in &mut config.sources {
                    source.filter = None;
                }
                return inner.apply_stream(&config).await;
            }
            let before = inner.stream_state(&config.name).await;
            let applied = inner.apply_stream(&config).await?;
            if config.mirror.is_none()
                && let Ok(before) = before
                && let Some(mut original) = before.config.mirror
            {
                original.start = CopyFrom::Sequence(before.last_sequence + 1);
                config.sources = vec![original];
                inner.apply_stream(&config).await?;
            }
            Ok(applied)
        })
    }

    /// Tells what was asked for.
    pub(super) fn hide(&self, state: &mut StreamState) {
        let asked = self.0.lock().unwrap();
        if let Some(asked) = asked.get(&state.config.name) {
            state.config.sources.clone_from(&asked.sources);
        }
    }
}

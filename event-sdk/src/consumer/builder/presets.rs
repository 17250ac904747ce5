//! The presets of a consumer: settings for options that the code does not set explicitly.

use super::Consumer;
use crate::consumer::Preset;

/// Presets.
impl<S> Consumer<S> {
    /// Uses the settings of a [`Preset`] for all options that the code does not set explicitly. An
    /// option that is set explicitly takes precedence, before or after this call. If two presets
    /// set an option, the later preset counts.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.presets.push(preset);
        self
    }

    /// Takes the settings of the presets.
    pub(super) fn with_presets(mut self) -> Self {
        // What is set stays: the last preset comes first.
        while let Some(preset) = self.presets.pop() {
            let Preset {
                retry,
                ack_wait,
                max_ack_pending,
                deliver,
                replay,
            } = preset;
            if let (Some(retry), false) = (retry, self.retry_is_set) {
                self.options.retry = retry;
                self.retry_is_set = true;
            }
            self.options.replay |= replay;
            self.subscribe = (self.subscribe).with_defaults(deliver, ack_wait, max_ack_pending);
        }
        self
    }
}

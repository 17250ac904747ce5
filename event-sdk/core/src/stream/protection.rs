//! What a stream protects its messages from: `deny_delete`, `deny_purge` and `allow_rollup` of a
//! `StreamConfig`, and which changes of them are impossible.

use super::config::StreamConfig;

impl StreamConfig {
    /// Whether single messages cannot be deleted.
    #[must_use]
    pub fn denies_delete(&self) -> bool {
        self.deny_delete == Some(true)
    }

    /// Whether messages cannot be purged.
    #[must_use]
    pub fn denies_purge(&self) -> bool {
        self.deny_purge == Some(true)
    }

    /// Whether a message can [roll up](crate::transport::RollUp) earlier ones. A stream with
    /// [`schedules`](Self::schedules) always allows it.
    #[must_use]
    pub fn allows_rollup(&self) -> bool {
        self.schedules || self.allow_rollup == Some(true)
    }

    /// The flags that this existing stream keeps if it becomes `wanted`: what `wanted` does not
    /// declare stays as it is.
    #[must_use]
    pub fn keeping_undeclared_flags(&self, mut wanted: Self) -> Self {
        wanted.deny_delete = wanted.deny_delete.or(self.deny_delete);
        wanted.deny_purge = wanted.deny_purge.or(self.deny_purge);
        wanted.allow_rollup = wanted.allow_rollup.or(self.allow_rollup);
        wanted
    }

    /// Why this existing stream never becomes `wanted`, as a clause: it denies deletion or purging,
    /// and `wanted` does not. `None` if nothing is in the way.
    #[must_use]
    pub fn denial_to_keep(&self, wanted: &Self) -> Option<&'static str> {
        if self.denies_delete() && wanted.deny_delete == Some(false) {
            return Some("it denies that messages are deleted, which no server takes back");
        }
        if !self.denies_purge() {
            return None;
        }
        if wanted.deny_purge == Some(false) {
            return Some("it denies that messages are purged, which no server takes back");
        }
        if wanted.allows_rollup() {
            return Some(
                "it denies that messages are purged, which no server takes back, and roll-ups and schedules need it",
            );
        }
        None
    }

    /// Why this existing stream does not become `wanted` while it allows roll-ups, as a clause:
    /// `wanted` denies purging, and leaves open whether roll-ups are allowed.
    #[must_use]
    pub fn rollup_to_declare(&self, wanted: &Self) -> Option<&'static str> {
        let keeps = self.allow_rollup == Some(true) && wanted.allow_rollup.is_none();
        (keeps && !wanted.schedules && wanted.denies_purge()).then_some(
            "it allows roll-ups, which delete messages, and is to deny purging; declare `allow_rollup(false)` too",
        )
    }
}

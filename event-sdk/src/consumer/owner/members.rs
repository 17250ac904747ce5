//! `Members`: the instances of a consumer that are alive, as seen by their heartbeats.

use std::collections::BTreeMap;
use std::time::Duration;

use super::entry::OwnerId;

/// The other instances. An instance is alive while its heartbeat has another revision within its
/// term, by the clock of this process.
#[derive(Debug, Default)]
pub(super) struct Members {
    seen: BTreeMap<OwnerId, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    revision: u64,
    since: Duration,
    term: Duration,
}

/// After so many terms without a heartbeat, the entry of an instance is deleted.
const FORGOTTEN_AFTER: u32 = 20;

impl Members {
    /// Reports all heartbeats that exist: owner, revision and term.
    pub(super) fn observed(
        &mut self,
        heartbeats: impl IntoIterator<Item = (OwnerId, u64, Duration)>,
        now: Duration,
    ) {
        let before = std::mem::take(&mut self.seen);
        for (id, revision, term) in heartbeats {
            let since = match before.get(&id) {
                Some(seen) if seen.revision == revision => seen.since,
                _ => now,
            };
            let seen = Seen {
                revision,
                since,
                term,
            };
            self.seen.insert(id, seen);
        }
    }

    /// The instances that are alive, in the order of their ids.
    pub(super) fn live(&self, now: Duration) -> Vec<OwnerId> {
        let live = |seen: &Seen| now < seen.since.saturating_add(seen.term);
        let found = self.seen.iter().filter(|(_, seen)| live(seen));
        found.map(|(id, _)| *id).collect()
    }

    /// Entries of instances that have ended long ago, with their revisions.
    pub(super) fn forgotten(&self, now: Duration) -> Vec<(OwnerId, u64)> {
        let gone = |seen: &Seen| {
            let until = seen.term.saturating_mul(FORGOTTEN_AFTER);
            now >= seen.since.saturating_add(until)
        };
        let found = self.seen.iter().filter(|(_, seen)| gone(seen));
        found.map(|(id, seen)| (*id, seen.revision)).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_instance_is_alive_while_its_heartbeat_changes() {
        let at = Duration::from_secs;
        let id = |number| OwnerId(Uuid::from_u128(number));
        let mut members = Members::default();
        members.observed([(id(1), 4, at(10)), (id(2), 5, at(10))], at(0));
        assert_eq!(members.live(at(9)), [id(1), id(2)]);
        members.observed([(id(1), 6, at(10)), (id(2), 5, at(10))], at(8));
        assert_eq!(members.live(at(12)), [id(1)]);
        members.observed([(id(1), 6, at(10)), (id(2), 5, at(10))], at(17));
        assert_eq!(members.live(at(17)), [id(1)]);
        assert_eq!(members.live(at(18)), []);
        // An instance that left is gone at once.
        members.observed([(id(2), 9, at(10))], at(20));
        assert_eq!(members.live(at(20)), [id(2)]);
        assert_eq!(members.forgotten(at(219)), []);
        assert_eq!(members.forgotten(at(220)), [(id(2), 9)]);
    }
}

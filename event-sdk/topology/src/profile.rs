//! `Profile`: the limits of streams in three environments.

use std::time::Duration;

use event_sdk::stream::{Storage, StreamSpec};

/// The limits and the storage of a stream in an environment.
///
/// | profile | messages | age | bytes | storage |
/// |---|---|---|---|---|
/// | `Development` | 10,000 | 1 h | no limit | memory |
/// | `Staging` | 100,000 | 1 day | 1 GB | file |
/// | `Production` | 1,000,000 | 7 days | 10 GB | file |
///
/// ```
/// use event_sdk::stream::StreamSpec;
/// use event_sdk_topology::Profile;
///
/// const EVENTS: StreamSpec = Profile::Production.limits(StreamSpec::constant("EVENTS", &[">"]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// One developer, and tests.
    Development,
    /// Several services before they go to production.
    Staging,
    /// Production. Replicas stay as declared: set three in a cluster.
    Production,
}

impl Profile {
    /// Returns the stream with the limits and the storage of this profile.
    pub const fn limits(self, stream: StreamSpec) -> StreamSpec {
        const HOUR: u64 = 60 * 60;
        let (messages, hours, bytes, storage) = match self {
            Self::Development => (10_000, 1, 0, Storage::Memory),
            Self::Staging => (100_000, 24, 1_000_000_000, Storage::File),
            Self::Production => (1_000_000, 7 * 24, 10_000_000_000, Storage::File),
        };
        stream
            .max_messages(messages)
            .max_age(Duration::from_secs(hours * HOUR))
            .max_bytes(bytes)
            .storage(storage)
    }
}

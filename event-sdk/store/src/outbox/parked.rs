//! `ParkedEntry`: a row that cannot be published, and the rows of its key that wait behind it.

use std::fmt;

use event_sdk::text::Text;
use jiff::Timestamp;

/// Why a row was parked. It contains no data of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkReason {
    /// The class: `reject` for a message that can never be published, `retry` if all attempts
    /// failed, `damaged` for a row that cannot be read.
    pub class: Text,
    /// The error of the last publish.
    pub error: Text,
    /// How many attempts failed.
    pub attempts: u32,
}

impl ParkReason {
    /// The length in bytes to which an error is cut: 1,000.
    pub const MAX_ERROR: usize = 1_000;

    /// A reason; the error is cut to [`MAX_ERROR`](Self::MAX_ERROR) bytes.
    #[must_use]
    pub fn new(class: &'static str, error: &str, attempts: u32) -> Self {
        Self {
            class: Text::from_static(class),
            error: Text::copy_of(cut(error, Self::MAX_ERROR)),
            attempts,
        }
    }
}

/// The longest beginning of `text` with at most `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A parked row, and with it the later rows of its key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedEntry {
    /// The id of the row that failed.
    pub id: i64,
    /// The shard.
    pub shard: u16,
    /// The key whose rows wait; `None` if the row has no order and waits alone.
    pub key: Option<Text>,
    /// The subject of the row; `None` if the row no longer exists.
    pub subject: Option<Text>,
    /// Why it was parked.
    pub reason: ParkReason,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// Whether the rows of the entry wait, or are being brought back.
    pub state: ParkedState,
}

impl ParkedEntry {
    /// An entry that waits.
    #[must_use]
    pub const fn new(
        id: i64,
        shard: u16,
        key: Option<Text>,
        reason: ParkReason,
        parked_at: Timestamp,
    ) -> Self {
        Self {
            id,
            shard,
            key,
            subject: None,
            reason,
            parked_at,
            state: ParkedState::Parked,
        }
    }
}

impl fmt::Debug for ParkedEntry {
    /// Without the key, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParkedEntry")
            .field("id", &self.id)
            .field("shard", &self.shard)
            .field("subject", &self.subject)
            .field("reason", &self.reason)
            .field("parked_at", &self.parked_at)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The state of a [`ParkedEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParkedState {
    /// The rows of the entry wait until they are retried, skipped or purged.
    Parked,
    /// The relay makes the rows of the entry ready again, the oldest first.
    Releasing,
}

/// Which parked entries an operation applies to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhichParked {
    /// All entries.
    All,
    /// The entry of this key.
    Key(Text),
    /// The entry whose failed row has this id.
    Row(i64),
}

impl fmt::Debug for WhichParked {
    /// Without the key, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("All"),
            Self::Key(_) => f.write_str("Key"),
            Self::Row(id) => write!(f, "Row({id})"),
        }
    }
}

/// The result of one step of a release, which makes parked rows ready again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Some rows are ready again, and more may follow.
    Partly,
    /// All rows are ready again, and the entry is deleted.
    Done,
    /// Nothing was changed: the relay no longer owns the shard, or the entry was parked again.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_at_a_character() {
        let reason = ParkReason::new("reject", &"ä".repeat(600), 1);
        assert_eq!(reason.error.len(), ParkReason::MAX_ERROR);
        let reason = ParkReason::new("reject", &format!("x{}", "ä".repeat(600)), 1);
        assert_eq!(reason.error.len(), ParkReason::MAX_ERROR - 1);
    }
}

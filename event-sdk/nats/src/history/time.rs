//! Finds the first sequence at or after a time.

use jiff::Timestamp;

use super::source::Source;
use event_sdk_core::transport::Error;

/// The first sequence, from `first` on, whose message was stored at a time that
/// `reached` holds of; one behind the last if there is none.
///
/// Messages are stored one after the other, so that halving finds it.
pub(super) async fn first(
    source: &Source,
    first: u64,
    reached: impl Fn(Timestamp) -> bool,
) -> Result<u64, Error> {
    let (mut low, mut high) = (first, source.last() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match source.leaders(">", middle).await? {
            // `middle` and what follows was dropped.
            None => high = middle,
            Some(found) if found.sequence >= high => high = middle,
            Some(found) if reached(found.stored_at) => high = middle,
            Some(found) => low = found.sequence + 1,
        }
    }
    Ok(low)
}

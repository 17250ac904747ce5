//! Swaps: declared streams that are to take subjects of each other, which no order of changes does.

use event_sdk::stream::StreamConfig;
use event_sdk::transport::{Error, Transport, TransportExt as _};

use crate::lookup::found;
use crate::plan::Overlap;

/// The stream behind the one at `place` that has to give its subjects up by hand, since it waits for
/// subjects of that one in turn; `None` if another order of the declarations will do.
pub(crate) async fn of(
    transport: &dyn Transport,
    declared: &[StreamConfig],
    place: usize,
    overlaps: &[Overlap],
) -> Result<Option<String>, Error> {
    if !overlaps.iter().all(|overlap| overlap.is_declared) {
        return Ok(None);
    }
    let mut existing = Vec::with_capacity(declared.len());
    for config in declared {
        let state = found(transport.stream_state(&config.name).await)?;
        existing.push(state.map_or_else(Vec::new, |state| state.config.subjects));
    }
    // Whether one can only be changed once another has been.
    let waits_for = |one: usize, other: usize| {
        let mut wanted = declared[one].subjects.iter();
        one != other && wanted.any(|it| existing[other].iter().any(|has| has.overlaps(it)))
    };
    for (other, config) in declared.iter().enumerate() {
        if other == place || !overlaps.iter().any(|it| it.stream == config.name) {
            continue;
        }
        let (mut reached, mut next) = (vec![false; declared.len()], vec![other]);
        while let Some(one) = next.pop() {
            if waits_for(one, place) {
                return Ok(Some(config.name.to_string()));
            }
            for (further, reached) in reached.iter_mut().enumerate() {
                if !*reached && waits_for(one, further) {
                    *reached = true;
                    next.push(further);
                }
            }
        }
    }
    Ok(None)
}

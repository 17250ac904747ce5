//! All cases of inboxes, by area.

mod batches;
mod dead;
mod effects;
mod letters;
mod owners;
mod retention;
mod trouble;

use super::rig::Rig;
use crate::case::Tried;

/// All cases, in the order of what happens to an event.
pub(crate) fn all() -> impl Iterator<Item = Tried<Rig>> {
    [
        effects::CASES,
        trouble::CASES,
        dead::CASES,
        letters::CASES,
        owners::CASES,
        batches::CASES,
        retention::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

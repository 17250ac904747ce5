//! All cases, by area of the contract.

mod cleaning;
mod leases;
mod marking;
mod parking;
mod places;
mod reading;
mod relays;
mod releasing;
mod scheduling;
mod status;
mod writing;

use crate::case::Tried;
use crate::rig::Rig;

/// All cases, in the order of the contract.
pub(crate) fn all() -> impl Iterator<Item = Tried<Rig>> {
    [
        writing::CASES,
        leases::CASES,
        reading::CASES,
        scheduling::CASES,
        marking::CASES,
        places::CASES,
        parking::CASES,
        releasing::CASES,
        status::CASES,
        cleaning::CASES,
        relays::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

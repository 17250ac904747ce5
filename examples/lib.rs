//! The events of the programs, which are what other teams see of them, and their
//! catalogue. Each program has a folder beside this file; README.md says what they
//! show.

pub mod events;

#[cfg(feature = "schemas")]
pub mod catalogue;

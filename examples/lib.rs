//! Events of the example programs and their catalogue, as other teams would see them. Each
//! program has a folder beside this file; README.md says what they show.

pub mod events;

#[cfg(feature = "schemas")]
pub mod catalogue;

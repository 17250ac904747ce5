//! The events of the programs.

pub mod flights;
pub mod jobs;

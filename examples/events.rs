//! Events of the example programs.

pub mod flights;
pub mod jobs;

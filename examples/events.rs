//! Events of the example programs.

pub mod base64;
pub mod flights;
pub mod jobs;

//! Shared by the tests in `tests/`: a few events, raw publishing, and a transport that answers
//! when told to.

pub mod held;
pub mod orders;
pub mod raw;

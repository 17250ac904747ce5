//! What the tests in `tests/` share: a few events, a way to put any bytes on a
//! bus, and a transport that answers when it is told to.

pub mod held;
pub mod orders;
pub mod raw;

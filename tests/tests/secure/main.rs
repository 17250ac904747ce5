//! The secure set-ups, on real servers and through the public API: who may
//! connect, over what, and what a user may do then.

mod captured;
mod credentials;
mod domain;
mod permissions;
mod support;
mod tls;
mod users;

//! Consumers on a real server: processes that abort, and a server that is away.
#![cfg(unix)]

mod killers;
mod outage;
mod rig;

//! Consumers on a real server: processes that abort, a server that is away, and one owner.
#![cfg(unix)]

mod ack_all;
mod killers;
mod options;
mod outage;
mod rig;
mod single_active;

//! Consumers on real servers: processes that abort, a server that is unavailable, one owner, and
//! the ledger of processes and servers that fail.
#![cfg(unix)]

mod ack_all;
mod killers;
mod ledger;
mod options;
mod outage;
mod partitions;
mod rig;
mod single_active;

//! `plan`, `apply` and `verify` on memory and on real servers.

mod cluster;
mod generated;
mod limits;
mod permissions;
mod ready_made;
mod refusals;
mod stopped;
mod stories;
mod support;

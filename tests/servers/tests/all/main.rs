//! Tests of the server harness itself.

mod auth;
mod client;
mod cluster;
mod guard;
mod single;
mod tls;

//! Tests of the server harness itself.

mod auth;
mod client;
mod cluster;
mod guard;
mod pooler;
mod postgres;
mod single;
mod tls;

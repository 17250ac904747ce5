//! The servers do what tests will believe of them.

mod auth;
mod client;
mod cluster;
mod guard;
mod single;
mod tls;

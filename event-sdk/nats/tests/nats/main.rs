//! The NATS transport on real servers, one server for each test.

mod cluster;
mod connecting;
mod consumer_ends;
mod consumer_lost;
mod consumer_pull;
mod consumer_settle;
mod consumer_support;
mod core;
mod history;
mod permissions;
mod publishing;
mod refused_and_given_up;
mod secure;
mod streams;
mod support;

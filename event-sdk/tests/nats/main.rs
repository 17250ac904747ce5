//! The NATS transport on real servers, each test on one of its own.

mod connecting;
mod core;
mod history;
mod permissions;
mod publishing;
mod support;

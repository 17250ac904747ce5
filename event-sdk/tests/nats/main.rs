//! The NATS transport on real servers, each test on one of its own.

mod history;
mod publishing;
mod support;

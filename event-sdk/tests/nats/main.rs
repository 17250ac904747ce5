//! The NATS transport on real servers, each test on one of its own.

mod publishing;
mod support;

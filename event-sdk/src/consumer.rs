//! The consumer runtime: the service around handlers.

mod owner;

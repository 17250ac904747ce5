//! NATS without streams.

//! Typed domain events.

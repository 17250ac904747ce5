//! Runs the conformance suite on memory, on NATS servers, on reduced transports (`reduced.rs`)
//! and on deliberately broken ones (`broken.rs`, `sabotage/`).

mod broken;
mod memory;
mod nats;
mod reduced;
mod sabotage;
mod suite;

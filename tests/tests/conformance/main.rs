//! Runs the conformance suite on memory, on NATS servers, on reduced transports and on
//! deliberately broken ones.

mod broken;
mod memory;
mod nats;
mod reduced;
mod sabotage;
mod suite;

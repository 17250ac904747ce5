//! The conformance suite: on the memory transport in each of its forms, on NATS
//! servers, on transports that can do less, and on transports that are broken on
//! purpose.

mod broken;
mod memory;
mod nats;
mod reduced;
mod sabotage;
mod suite;

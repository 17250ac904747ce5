//! Shared by the tests in `tests/`: a few events, raw publishing, a transport that answers when
//! told to, the fuzz targets, and services that tests kill.
//!
//! The tests, each a program or folder in `tests/tests/`:
//!
//! - `publishing`, `two_phases`, `stories`: publishing, slow transports, correlation and traces;
//! - `subscribing`, `batches`, `sets`, `hostile_input`: receiving, batches, decoding, bad messages;
//! - `raw_bus`: bytes without a type;
//! - `readable`: events that are only received;
//! - `needs`: what a transport does not declare is refused by the bus;
//! - `roundtrip`, `fuzz`: random values and random inputs (`cargo xtask long` for millions);
//! - `dead_letters`: stores, redrive, and the page `docs/dead-letters.md`;
//! - `consumers`: consumers on real servers: every option, processes that abort, a server that is
//!   away;
//! - `managing`: applying streams, draining;
//! - `conformance`: the conformance suite on every transport, and on broken ones;
//! - `faults`: failures of real NATS servers;
//! - `lying_server`: a server that violates the protocol;
//! - `hostile_messages`: another client writes malformed messages into a real stream;
//! - `secure`: credentials, TLS, and the permissions table of `docs/production.md`;
//! - `other_languages`: the wire contract with clients in Python and Node, and with async-nats alone;
//! - `contracts`: schemas, AsyncAPI and the catalogue page with other teams' tools.

pub mod fuzz;
pub mod held;
pub mod killers;
#[cfg(unix)]
pub mod ledger;
pub mod letters;
pub mod lives;
pub mod orders;
pub mod raw;

/// The example of the page on leaving has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/leaving.md")]
struct Leaving;

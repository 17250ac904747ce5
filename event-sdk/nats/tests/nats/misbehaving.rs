//! Servers that violate the protocol: each behaviour ends in a typed error or a recovery, within its
//! time, without a panic, and without connecting or asking in a busy loop.

mod api;
mod confirmations;
mod fake;
mod handshake;
mod pulls;

//! The suite that holds a transport to its contract: [`conformance`].

pub mod conformance;

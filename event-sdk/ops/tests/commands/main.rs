//! The commands through `run_on`, on memory and on a server.

mod doctor;
mod program;
mod snapshot;
mod streams;

//! The commands through `run_on`, on memory and on servers.

mod changes;
mod events;
mod help;
mod page;
mod program;
mod screens;
mod server;
mod shop;
mod snapshot;
mod streams;

//! The inbox on SQLite, with consumers on the memory transport, through the public API.
//!
//! SQLite works on threads of its own, so these tests run in real time. They wait for states, never for
//! a time.

mod batches;
mod crash;
mod database;
mod dead;
mod effects;
mod exhausted;
mod full;
mod outage;
mod owners;
mod publishing;
mod retention;
mod rig;
mod schema;

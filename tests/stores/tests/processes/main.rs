//! A service with outbox and inbox, whose processes are killed and stopped (`SIGKILL`, `SIGSTOP`), on a
//! real NATS server, SQLite and PostgreSQL.
//!
//! - `kills`: nothing is lost, no effect is doubled, nothing is handled and dead; `counts` counts in the
//!   database;
//! - `order`: the order of each key, with relays that are killed and stopped, and rows that are refused;
//! - `parked`: the order of a key while a relay moves its rows behind a parked one, or releases them;
//! - `process`, `rig`: processes, databases, waits.

mod counts;
mod kills;
mod order;
mod parked;
mod process;
mod rig;

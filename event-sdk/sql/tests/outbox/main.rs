//! Tests of the outbox on SQLite, over the memory transport, through the public API.

mod blocking;
mod busy;
mod cleaning;
mod clock;
mod crashes;
mod database;
mod enqueueing;
mod exhausted;
mod full;
mod full_disk;
mod leaving;
mod left;
mod order;
mod parked;
mod personal;
mod reasons;
mod relays;
mod rig;
mod scheduled;
mod schema;
mod script;
mod settling;
mod trouble;
mod went_back;

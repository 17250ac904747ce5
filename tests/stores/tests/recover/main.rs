//! Recovery after a restore: databases and streams that went back to different times, on SQLite and
//! PostgreSQL, with the memory transport and real NATS servers.

mod asked;
mod clean;
mod consumers;
mod cut;
mod databases;
mod home;
mod nats;
mod outbox;
mod rig;
mod unknown;

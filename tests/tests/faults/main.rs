//! Faults of real NATS servers through the public API: restarts, kills, pauses, deletions,
//! limits, missing permissions, expired credentials, slow consumers.
//!
//! Each test keeps a ledger of its events and prints it at its end
//! (`cargo test -p event-sdk-tests --test faults -- --nocapture`): nothing that
//! was confirmed is lost, nothing stalls for more than ten seconds once the
//! server is back, and each failure is a typed error that names what it is about.

mod events;
mod ledger;
mod rig;
mod wire;
mod work;

mod restart_while_publishing;

mod restart_while_consuming;

mod leader_killed;

mod racing_writers;

mod paused;

mod consumer_deleted;

mod stream_deleted;

mod stream_full;

mod too_large;

mod denied;

mod credentials_expired;

mod slow_consumer;

mod drained;

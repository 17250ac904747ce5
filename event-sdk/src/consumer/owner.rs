//! Ownership: one owner for a durable, or for each of its partitions.
//!
//! An owner holds a *lease*, starts handlers only while its lease is surely valid (the
//! *self-fence*), and after a takeover holds deliveries back until everything that the previous
//! owner had in hand is here (the *gate*). Together they keep the order of a key across instances:
//! never two handlers at once for a key, except one that already ran when its process was frozen.
//!
//! The parts are state machines without a clock or a transport, so that `consumer/model.rs` tries
//! them in all orders of events:
//!
//! - `entry`: what a lease looks like in the coordination bucket;
//! - `lease`: acquire, renew, fence, take over, release;
//! - `members`: which instances are alive;
//! - `ack_floor`: which events one acknowledgement may settle;
//! - `gate`: what passes after a takeover, and in which order;
//! - `balance`: which partitions an instance acquires and gives up.
//!
//! Around them:
//!
//! - `fence`: what the engine asks before it starts a handler;
//! - `keeper`: keeps the leases in the coordination bucket.

pub(super) mod ack_floor;
mod balance;
pub(super) mod entry;
pub(super) mod fence;
pub(super) mod gate;
pub(super) mod keeper;
pub(super) mod lease;
mod members;

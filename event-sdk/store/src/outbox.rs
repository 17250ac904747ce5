//! The outbox: messages that are stored in the caller's transaction, and the trait by which the relay
//! reads and marks them.

mod lease;
mod message;
mod parked;
mod row;
mod status;
mod store;

pub use lease::{Membership, RelayId, ShardLease};
pub use message::{InvalidHeaders, OutboxMessage, headers_from_json, headers_to_json};
pub use parked::{ParkReason, ParkedEntry, ParkedState, Release, WhichParked};
pub use row::{
    Ahead, ConfirmedRow, Except, KeptRow, KeyPosition, OutboxRow, PublishedRow, ShardPosition,
};
pub use status::{Counted, OutboxStatus};
pub use store::{OutboxStore, PendingWork, StoreFuture};

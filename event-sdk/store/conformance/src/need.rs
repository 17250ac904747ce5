//! `Need`: what a guarantee needs of a store beyond the contract.

/// What a store may lack by its nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Several transactions write at the same time, so that rows commit in another order than that of
    /// their ids. A store without it makes a second writer wait.
    ConcurrentWriters,
    /// The outbox has several shards.
    Shards,
    /// The database of an inbox keeps dead letters, too: that an event is dead and its letter are one
    /// transaction.
    Letters,
    /// A statement of an effect can fail because another transaction has the database.
    Busy,
    /// A statement of an effect can wait for a lock for too long.
    LockTimeout,
    /// The database can end the transaction of an effect because of a deadlock.
    Deadlock,
    /// The database can end the transaction of an effect because it cannot be put in an order with
    /// others.
    SerializationFailure,
    /// An effect can lose its connection.
    LostConnection,
}

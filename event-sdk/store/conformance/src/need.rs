//! `Need`: what a guarantee needs of a store beyond the contract.

/// What a store may lack by its nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Several transactions can write at the same time, so rows may commit in another order than
    /// that of their ids. A store that lacks this makes a second writer wait.
    ConcurrentWriters,
    /// The outbox has several shards.
    Shards,
    /// The database of an inbox also keeps dead letters: one transaction writes the record of a
    /// dead event and its letter.
    Letters,
    /// A statement of an effect can fail because another transaction has locked the database.
    Busy,
    /// A statement of an effect can wait for a lock for too long.
    LockTimeout,
    /// The database can end the transaction of an effect because of a deadlock.
    Deadlock,
    /// The database can end the transaction of an effect because it could not be serialized with
    /// others.
    SerializationFailure,
    /// An effect can lose its connection.
    LostConnection,
}

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
}

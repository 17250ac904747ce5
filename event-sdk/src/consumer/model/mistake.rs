//! `Mistake`: one for each rule. The model has to find every one of them.

/// A planted mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The lease is written whatever revision its entry has.
    AnyRevision,
    /// Validity counts from when the answer to a renewal came.
    CountedFromAnswer,
    /// A contender waits for less than the term of the entry.
    TakesOverEarly,
    /// A contender counts from when it asked for the entry.
    SeenFromAsking,
    /// A renewal without an answer counts as made.
    SilenceIsSuccess,
    /// A handler starts without a look at the time.
    NoFence,
    /// A handler goes on after the end of the lease.
    NoCancel,
    /// A process acquires the lease again while a handler of an earlier ownership exists.
    AcquiresUncleared,
    /// An owner releases the lease while a handler runs.
    ReleaseWhileRunning,
    /// Deliveries pass at once after a takeover.
    NoGate,
    /// Deliveries that went elsewhere are not noticed.
    MissingNumbersIgnored,
    /// The gate compares counts, though a late acknowledgement may have settled what it counts.
    LateAcksIgnored,
}

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
    /// A new owner starts what was delivered before without a record.
    StartsUnrecorded,
    /// A new owner takes a start without an outcome for a failed attempt.
    InterruptedIsFailed,
    /// Other handlers start while a suspect waits or runs.
    OthersStartBesideSuspect,
    /// The record of an event that is given up is deleted before its letter is written.
    ForgottenBeforeLetter,
    /// A dead event is settled by its new owner without its letter.
    DeadWithoutLetter,
    /// A record is written whatever its revision, with what its process knows.
    RecordOverwritten,
}

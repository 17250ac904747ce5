//! `Sabotage`: the ways in which a transport breaks a promise.

use event_sdk::transport::Capability;

/// Which promise is broken, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// None: the wrapper by itself breaks nothing.
    Nothing,

    /// Every tenth message is confirmed and not stored.
    LosesEveryTenth,
    /// The confirmation has the sequence after the one that was given.
    AnswersAnotherSequence,
    /// Message ids are thrown away.
    ForgetsMessageIds,
    /// A duplicate is not called one.
    HidesDuplicates,
    /// Expectations are thrown away.
    IgnoresExpectations,
    /// Headers are thrown away.
    DropsHeaders,
    /// A body ends at its first zero.
    CutsBodiesAtZero,
    /// A message for no stream is confirmed.
    ConfirmsWhatNoStreamStores,
    /// No refusal says that nothing was done.
    IsNeverSure,
    /// No error says of what kind it is.
    BlursErrors,
    /// Every message is called a duplicate.
    CallsEverythingADuplicate,
    /// An empty body becomes an empty object.
    FillsEmptyBodies,
    /// A publish waits until every subscription has read nearly everything.
    WaitsForSlowSubscriptions,
    /// A value is encoded on its way.
    EncodesValues,

    /// Limits of what a stream keeps are thrown away.
    KeepsEverything,
    /// What was acknowledged stays, whatever was asked for.
    KeepsWhatWasAcked,
    /// A work queue is one that is kept by interest.
    KeepsQueuesByInterest,

    /// Applying a stream is confirmed and not done.
    AppliesNothing,
    /// Each stream that was applied is called a new one.
    CallsEachStreamNew,
    /// A stream that cannot be is confirmed.
    ConfirmsWhatCannotBe,
    /// A source is copied without its filter, which is told as it was asked for.
    CopiesEverything,
    /// A mirror that becomes a stream goes on copying, and does not say so.
    GoesOnCopying,
    /// The account has no streams and reserves nothing.
    HasAnEmptyAccount,

    /// A consumer that exists is replaced by the one that was asked for.
    ChangesConsumers,
    /// Each subscription of a group gets a consumer of its own.
    CopiesToEachMember,
    /// A durable begins anew with each subscription.
    ForgetsDurables,
    /// A consumer receives everything in its stream.
    IgnoresFilters,
    /// A consumer begins at the oldest message whatever it asked for.
    BeginsAtTheOldest,
    /// The first two consumers begin at the oldest message, as on a copy that is behind.
    BeginsBehind,
    /// Any number of deliveries may be unsettled.
    IgnoresMaxAckPending,
    /// A message is delivered until it is settled.
    IgnoresMaxDeliver,
    /// The list of waits is thrown away.
    IgnoresBackoff,
    /// The same filters in another order are called another configuration.
    MindsTheOrderOfFilters,
    /// A consumer with wider filters is called another one.
    WantsTheSameFilters,
    /// A consumer that starts elsewhere is called another one.
    ComparesTheStart,
    /// A consumer is bound and not said to differ.
    TellsNoDifferences,
    /// A consumer that has to exist is created.
    CreatesWhatMustExist,
    /// A consumer for what the stream never stores is created.
    CreatesWhatNeverReceives,
    /// A consumer for what the stream stores no more is bound.
    BindsWhatReceivesNoMore,
    /// A consumer's name is taken on every stream.
    SharesNamesAcrossStreams,
    /// Applying a durable is confirmed and not done.
    AppliesNoDurables,
    /// A durable that is applied is deleted and created again.
    MakesDurablesAnew,
    /// A durable that cannot be is said to be just as it should.
    ConfirmsDurablesThatCannotBe,
    /// The info of a consumer says nothing of where it is.
    CountsNoPositions,
    /// Deleting a consumer is confirmed and not done.
    DeletesNothing,
    /// The list of consumers is empty.
    ListsNoConsumers,
    /// Pausing a consumer is confirmed and not done.
    PausesNothing,
    /// A paused consumer does not go on.
    PausesForGood,
    /// Resetting a consumer is confirmed and not done.
    ResetsNothing,

    /// Getting a message by its sequence returns the one behind it.
    GetsTheNeighbour,
    /// Deleting a message is confirmed and not done.
    DeletesNoMessages,
    /// A message that is not there is said to have been deleted.
    CallsTheMissingDeleted,
    /// A purge deletes everything, whatever it is about.
    PurgesEverything,
    /// Of a purge with two ends, one is thrown away.
    PurgesWithTwoEnds,
    /// A purge does not count what it deletes.
    CountsNothingPurged,
    /// A deletion or purge that the stream denies is confirmed.
    ConfirmsDeniedDeletions,
    /// A roll-up deletes nothing.
    RollsNothingUp,
    /// A roll-up of a subject deletes the messages of all subjects.
    RollsEverythingUp,
    /// A roll-up whose message id is known is stored.
    RollsUpDuplicates,
    /// A roll-up that the stream does not allow is confirmed.
    ConfirmsDeniedRollUps,

    /// A snapshot says that it has nothing.
    CountsNothingInSnapshots,
    /// The content of a snapshot ends before it begins.
    EmptiesSnapshots,
    /// Consumers are left out of snapshots, whatever was asked for.
    LeavesConsumersOut,
    /// A restore that is refused is confirmed.
    ConfirmsRestores,

    /// Advisories are never heard.
    HearsNothing,
    /// A listener hears all advisories, whatever it asked for.
    HearsEverything,
    /// Advisories have no reasons.
    HearsNoReasons,

    /// Of two messages that are there, the second comes first.
    Reorders,
    /// Each message is handed over twice.
    DeliversTwice,
    /// Each delivery is called the first.
    CountsNoAttempts,
    /// What was delivered once does not come again.
    NeverRedelivers,
    /// Gaps are not reported.
    HidesGaps,
    /// A gap is said to reach up to the message that comes after it.
    WidensGaps,
    /// Messages that ran out of deliveries are not reported.
    HidesExhausted,
    /// What was taken ahead is handed out however long it waited.
    HandsOutTheStale,
    /// What a subscription took ahead is lost when it is dropped.
    LosesTheUnread,

    /// An ack is confirmed and not done.
    ForgetsAcks,
    /// A confirmed ack is confirmed and not done.
    ForgetsConfirmedAcks,
    /// A confirmed term is confirmed and not done.
    ForgetsConfirmedTerms,
    /// A terminated message is put back.
    PutsBackTheTerminated,
    /// What is put back comes again at once.
    IgnoresNakDelay,
    /// That a message is in progress is not heard.
    IgnoresInProgress,
    /// With the policy `All`, an ack settles its message alone.
    AcksOneByOne,
    /// An ack of a delivery that is not the last of its message is thrown away.
    ForgetsLateAcks,
    /// A second settlement of a delivery is an error.
    RefusesTheSecondSettlement,
    /// Of deliveries that are settled together, only the first is.
    SettlesOnlyTheFirst,
    /// Settling together ends with the first delivery that cannot be settled.
    EndsABatchAtTheFirstError,
    /// What could not be settled of a batch is not told.
    HidesTheUnsettled,

    /// History comes oldest first, always.
    ReadsForwardOnly,
    /// History has no limit.
    IgnoresTheLimit,

    /// No stream has a consumer, as far as its state says.
    CountsNoConsumers,
    /// Sequences begin at zero, as far as a stream's state says.
    CountsFromZero,
    /// It has no name.
    HasNoName,
    /// It says that it cannot do this, and does it.
    Hides(Capability),
    /// It says that it can do this, and does not.
    Pretends(Capability),

    /// Closing is confirmed and not done.
    GoesOnAfterClosing,
    /// The connection is said to be missing while everything works.
    DeniesItsConnection,
    /// The connection is said to be there after the end.
    ConcealsItsEnd,
    /// Subscriptions wait for ever once the transport is closed.
    LeavesSubscriptionsOpen,
    /// Subscriptions that fail end without saying why.
    EndsWithoutAWord,
    /// Subscriptions that end call that a failure.
    CallsTheEndAFailure,

    /// A drain is confirmed and not done.
    DrainsNothing,
    /// A drain closes without waiting.
    DrainsByClosing,
    /// A drain ends when its time is over, whatever is in hand.
    DrainsToTheEnd,
    /// A drain of one transport is one of all that share its streams.
    DrainsEverybody,
    /// What is in hand when the time of a drain is over is not put back.
    KeepsWhatIsInHand,
    /// A drain does not say what it found.
    CountsNothingDrained,
    /// Publishes are confirmed during a drain, and not stored.
    PublishesWhileDraining,
    /// Publishes are refused from the beginning of a drain.
    RefusesToPublishWhileDraining,

    /// Every write of an entry succeeds, whatever it expects.
    IgnoresRevisions,
    /// A deletion succeeds, whatever it expects.
    DeletesAnyRevision,
    /// A put answers with the revision after the one that it got.
    AnswersAnotherRevision,
    /// A refused write of an entry may have been done, as far as its error says.
    IsNeverSureOfWrites,
    /// The deletion of an entry is confirmed and not done.
    KeepsDeletedEntries,
    /// A key that was deleted is never absent again, as far as puts are concerned.
    NeverForgetsDeletedKeys,
    /// Deleting a key without an entry fails.
    RefusesToDeleteNothing,
    /// A list ends after a thousand entries.
    ListsOnePage,
    /// A list has all entries.
    IgnoresThePrefix,
    /// A list has the newest entry last, wherever its key is.
    ListsByRevision,
    /// A value ends at its first zero.
    CutsValuesAtZero,
    /// A value of any size is confirmed.
    ConfirmsTooLargeValues,
    /// A malformed key is one without an entry, which can be written.
    TakesAnyKey,
    /// A key that is not of the house grammar is refused.
    TakesHouseKeysOnly,
    /// An entry does not expire.
    IgnoresExpiry,
    /// An entry expires in half of its time.
    ExpiresEarly,
    /// Once an entry has had an expiry, each has.
    KeepsTheExpiry,
    /// An expiry of zero is none.
    TakesZeroForNoExpiry,
    /// An entry never grows too old.
    IgnoresTheAgeOfBuckets,
    /// A bucket is created when it is used.
    CreatesBucketsUnasked,
    /// Applying a bucket is confirmed and not done.
    AppliesNoBuckets,
    /// Each bucket that was applied is called a new one.
    CallsEachBucketNew,
    /// A bucket that cannot be is confirmed.
    ConfirmsBucketsThatCannotBe,
    /// Every bucket matches every configuration.
    FindsBucketsAlike,
    /// All buckets are one.
    HasOneBucket,
    /// What the second connection writes is not for the first.
    KeepsBucketsToItself,
    /// Entries are neither read nor written during a drain.
    RefusesToCoordinateWhileDraining,

    /// A scheduled message is stored at once.
    FiresAtOnce,
    /// A schedule is confirmed and not made.
    SchedulesNothing,
    /// Each schedule has a key of its own.
    ReplacesNothing,
    /// Every schedule is said to have replaced another one.
    CallsEachScheduleAReplacement,
    /// A cancellation is confirmed and not done.
    CancelsNothing,
    /// Every cancellation is said to have been in time.
    CallsEachCancellationInTime,
    /// A list has all schedules, whatever its prefix.
    ListsAllSchedules,
    /// A list of schedules ends after a hundred.
    ListsFewSchedules,
    /// A schedule that cannot be is confirmed.
    ConfirmsSchedulesThatCannotBe,
    /// A scheduled message has no headers.
    DropsScheduledHeaders,
    /// Nothing is scheduled, cancelled or listed during a drain.
    RefusesToScheduleWhileDraining,

    /// Asking for streams panics.
    Panics,
    /// Asking for streams is never answered.
    Hangs,
}

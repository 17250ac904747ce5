//! Wrapper transport that breaks one promise on purpose.

mod advisories;
mod closing;
mod consumers;
mod coordinating;
mod delivering;
mod draining;
mod managing;
mod messages;
mod publishing;
mod reading;
mod saboteur;
mod settling;
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::transport::{
    AckPolicy, Advisories, BoundConsumer, Capabilities, Capability, Completion, Confirmation,
    ConsumerAdmin, ConsumerConfig, ConsumerName, Coordination, DeliverPolicy, Drained, Error,
    ErrorKind, History, MessageAdmin, Operation, PublishRequest, StreamAdmin, SubscribeRequest,
    Subscription, Transport, TransportExt as _,
};

pub(crate) use saboteur::Saboteur;

use consumers::Known;
use coordinating::Coordinating;
use settling::Settled;
use slow::Waiting;

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
    /// All buckets are one.
    HasOneBucket,
    /// What the second connection writes is not for the first.
    KeepsBucketsToItself,
    /// Entries are neither read nor written during a drain.
    RefusesToCoordinateWhileDraining,

    /// Asking for streams panics.
    Panics,
    /// Asking for streams is never answered.
    Hangs,
}

/// A transport that breaks a promise.
#[derive(Debug)]
pub(crate) struct Broken<T> {
    inner: Arc<T>,
    sabotage: Sabotage,
    published: AtomicU64,
    begun: AtomicU64,
    waiting: Waiting,
    settled: Arc<Settled>,
    known: Known,
    draining: AtomicBool,
    coordination: Coordinating,
}

impl<T: Transport> Broken<T> {
    pub(crate) fn new(inner: T, sabotage: Sabotage) -> Self {
        Self {
            inner: Arc::new(inner),
            sabotage,
            published: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            waiting: Waiting::default(),
            settled: Arc::default(),
            known: Known::default(),
            draining: AtomicBool::new(false),
            coordination: Coordinating::default(),
        }
    }

    /// Whether a consumer is one of the first that are asked to begin somewhere else than at the
    /// oldest message.
    fn is_behind(&self, config: &ConsumerConfig) -> bool {
        use DeliverPolicy as D;
        // A sequence is what it is on every copy.
        let elsewhere = !matches!(config.deliver, D::All | D::ByStartSequence(_));
        let first = || self.begun.fetch_add(1, Ordering::Relaxed) < 2;
        elsewhere && matches!(config.name, ConsumerName::Ephemeral) && first()
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// What the consumer is instead of what was asked for.
    fn distort(&self, config: &mut ConsumerConfig) {
        match self.sabotage {
            Sabotage::CopiesToEachMember => {
                if let ConsumerName::Group(_) = config.name {
                    config.name = ConsumerName::Ephemeral;
                }
            }
            Sabotage::IgnoresFilters => {
                // The subjects of a case begin with a token of its own.
                for filter in &mut config.filters {
                    let own = filter.as_str().split('.').next().unwrap_or_default();
                    *filter = Pattern::parse(format!("{own}.>")).unwrap();
                }
                config.filters.truncate(1);
            }
            Sabotage::AcksOneByOne if config.ack == AckPolicy::All => {
                config.ack = AckPolicy::Explicit;
            }
            Sabotage::BeginsAtTheOldest => config.deliver = DeliverPolicy::All,
            Sabotage::BeginsBehind if self.is_behind(config) => {
                config.deliver = DeliverPolicy::All;
            }
            Sabotage::IgnoresMaxAckPending => config.max_ack_pending = None,
            Sabotage::IgnoresMaxDeliver => config.max_deliver = None,
            Sabotage::IgnoresBackoff => config.backoff.clear(),
            _ => {}
        }
    }
}

impl<T: Transport> Transport for Broken<T> {
    fn name(&self) -> &str {
        match self.sabotage {
            Sabotage::HasNoName => "",
            _ => "a transport that breaks a promise",
        }
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = self.inner.capabilities();
        match self.sabotage {
            Sabotage::Hides(capability) => capabilities.without(capability),
            Sabotage::Pretends(capability) => capabilities.with(capability),
            _ => capabilities,
        }
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.broken_publish(message)
    }

    fn subscribe(&self, mut request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        if let Err(error) = self.known.check(self.sabotage, &request) {
            return Completion::ready(Err(error));
        }
        self.distort(&mut request.config);
        request.must_exist &= !self.is(Sabotage::CreatesWhatMustExist);
        let (inner, sabotage) = (Arc::clone(&self.inner), self.sabotage);
        let (settled, reading) = (Arc::clone(&self.settled), self.waiting.begin());
        Completion::later(async move {
            let name = request.config.name.as_str().map(str::to_owned);
            if sabotage == Sabotage::ForgetsDurables
                && let ConsumerName::Durable(name) = &request.config.name
            {
                let _ = inner.delete_consumer(&request.stream, name).await;
            }
            let mut subscribed = inner.subscribe(request.clone()).await;
            if subscribed
                .as_ref()
                .is_err_and(|error| *error.kind() == ErrorKind::InvalidSubject)
            {
                let name = name.as_deref().unwrap_or_default();
                let exists = inner.consumer_info(&request.stream, name).await.is_ok();
                if sabotage == Sabotage::CreatesWhatNeverReceives && !exists
                    || sabotage == Sabotage::BindsWhatReceivesNoMore && exists
                {
                    let bound = BoundConsumer::created(request.config);
                    return Ok(Subscription::new(futures_util::stream::pending(), bound));
                }
            }
            if sabotage == Sabotage::ChangesConsumers
                && let (Err(error), Some(name)) = (&subscribed, &name)
                && matches!(error.kind(), ErrorKind::ConsumerMismatch { .. })
            {
                inner.delete_consumer(&request.stream, name).await?;
                subscribed = inner.subscribe(request).await;
            }
            let subscribed = subscribed.map(|subscription| {
                let mut subscription = subscription.map_deliveries(|deliveries| {
                    let deliveries = delivering::broken(sabotage, deliveries, settled);
                    let deliveries = closing::broken(sabotage, deliveries);
                    reading.count(deliveries)
                });
                if sabotage == Sabotage::TellsNoDifferences {
                    subscription.bound.differences.clear();
                }
                subscription
            });
            subscribed.map_err(|error| blurred(sabotage, error))
        })
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner.supports(Capability::History).then_some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.inner.supports(Capability::StreamAdmin).then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.inner
            .supports(Capability::ConsumerAdmin)
            .then_some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.inner
            .supports(Capability::MessageAdmin)
            .then_some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.inner.supports(Capability::Advisories).then_some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.inner
            .supports(Capability::Coordination)
            .then_some(self)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.broken_drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        if self.is(Sabotage::GoesOnAfterClosing) {
            return Completion::ready(Ok(()));
        }
        self.inner.close()
    }
}

/// What a transport says that cannot do what it declares.
fn only_pretended(capability: Capability, operation: Operation) -> Error {
    Error::unsupported(capability, operation, "it was only pretended")
}

/// The error, or one that does not say of what kind it is.
fn blurred(sabotage: Sabotage, error: Error) -> Error {
    if sabotage == Sabotage::BlursErrors {
        return Error::new(ErrorKind::Other, error.operation(), error.to_string());
    }
    error
}

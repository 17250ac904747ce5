//! `Saboteur`: outboxes that break one promise.

mod store;

use std::sync::Arc;

use event_sdk_store::outbox::{OutboxMessage, OutboxStore, StoreFuture};
use event_sdk_store_conformance::{Harness, HarnessError, Need, TestedOutbox, Writing};

use store::SabotagedStore;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    Nothing,

    RollbackCommits,
    CommitRollsBack,
    LosesHeaders,
    LosesKeys,
    CancelsNothing,
    WritesOneKey,
    TellsOfConcurrentWriters,

    ClaimsTwice,
    ClaimsMoreThanAsked,
    ClaimsNothing,
    ForgetsEpochs,
    AcceptsOldEpochs,
    RenewsNothing,
    RenewsWhatIsLost,
    CountsOneRelay,
    ReleasesNothing,
    ReleasesOldLeases,
    LeavesNothing,
    EveryoneCleans,
    NobodyCleans,

    ReadsNothing,
    ReadsBehindThePosition,
    ReadsBackwards,
    SkipsARow,
    IgnoresShards,
    ReportsOtherShards,
    SeesNothingAhead,
    SeesNoParkedAhead,
    SeesAlwaysAhead,
    ReadsNothingBelow,
    IgnoresExcept,
    IgnoresExceptedKeys,
    ReadsNothingOfKeys,
    ReadsKeysToTheEnd,
    ReadsKnownRowsOfKeys,
    IgnoresFloors,
    SettlesEverything,

    DueTooEarly,
    DueInDisorder,
    DueNever,
    DueWithKey,
    HasNoWork,

    MarksNothing,
    MarksOldEpochs,
    MarksMissingRows,
    MarksNothingTwice,
    ForgetsPublishedRows,
    ForgetsPlaces,
    ReadsOnePageForever,
    ForgetsNewestRows,
    ReadsNewestPageForever,
    ForgetsOwnTimes,
    CountsNoFailures,

    ParksNothing,
    MovesNothingBehind,
    MovesAllBehind,
    ForgetsReasons,
    ReadsAllParked,
    ReleasesAllAtOnce,
    ReleasesForever,
    ReleasesWhatIsParkedAgain,
    RetriesAll,
    RetriesNothing,
    SkipsNothing,
    SkipsAlways,
    PurgesNothing,
    PurgesAllAtOnce,

    StatusIsEmpty,
    StatusHasNoAge,
    StatusCountsTwice,
    StatusOfThePast,

    CleansEverything,
    CleansNothing,
    CleansReadyRows,
    CleansAllAtOnce,
}

/// The outboxes of a harness, broken so.
#[derive(Debug)]
pub(crate) struct Saboteur<H> {
    pub(crate) inner: H,
    pub(crate) how: Sabotage,
}

impl<H: Harness> Harness for Saboteur<H> {
    async fn start(&self) -> Result<Box<dyn TestedOutbox>, HarnessError> {
        let inner = self.inner.start().await?;
        let store = Arc::new(SabotagedStore::new(inner.store(), self.how));
        let how = self.how;
        Ok(Box::new(Sabotaged { inner, store, how }))
    }

    fn has(&self, need: Need) -> bool {
        let tells = self.how == Sabotage::TellsOfConcurrentWriters;
        (tells && need == Need::ConcurrentWriters) ^ self.inner.has(need)
    }
}

struct Sabotaged {
    inner: Box<dyn TestedOutbox>,
    store: Arc<dyn OutboxStore>,
    how: Sabotage,
}

impl TestedOutbox for Sabotaged {
    fn store(&self) -> Arc<dyn OutboxStore> {
        Arc::clone(&self.store)
    }

    fn begin(&self) -> StoreFuture<'_, Box<dyn Writing>> {
        Box::pin(async move {
            let inner = self.inner.begin().await?;
            let how = self.how;
            Ok(Box::new(SabotagedWriting { inner, how }) as Box<dyn Writing>)
        })
    }
}

struct SabotagedWriting {
    inner: Box<dyn Writing>,
    how: Sabotage,
}

impl Writing for SabotagedWriting {
    fn insert(&mut self, mut message: OutboxMessage) -> StoreFuture<'_, ()> {
        match self.how {
            Sabotage::LosesHeaders => message.headers = event_sdk::headers::Headers::new(),
            Sabotage::LosesKeys => message.key = None,
            Sabotage::WritesOneKey => message.key = Some("one".into()),
            _ => {}
        }
        self.inner.insert(message)
    }

    fn cancel(&mut self, cancel_key: String) -> StoreFuture<'_, u64> {
        if self.how == Sabotage::CancelsNothing {
            return Box::pin(async { Ok(0) });
        }
        self.inner.cancel(cancel_key)
    }

    fn commit(self: Box<Self>) -> StoreFuture<'static, ()> {
        if self.how == Sabotage::CommitRollsBack {
            return self.inner.rollback();
        }
        self.inner.commit()
    }

    fn rollback(self: Box<Self>) -> StoreFuture<'static, ()> {
        if self.how == Sabotage::RollbackCommits {
            return self.inner.commit();
        }
        self.inner.rollback()
    }
}

//! Tests of attempt records against stores that fail, that lose answers, and that others write.

mod beside;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Bucket, Completion, Error, ErrorKind, Operation};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use proptest::prelude::*;

use super::store::{Expected, LocalStore};
use super::{
    AttemptRecords, Begun, EventPlace, Known, LastOutcome, RecordStore, StoreError, Stored, Verdict,
};
use crate::EventBus;

/// What a store does with the next calls, before it works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It does nothing.
    Away,
    /// It does what is asked, but the answer is lost.
    AnswerLost,
    /// There is no store.
    Absent,
}

#[derive(Debug, Default)]
struct FaultyStore {
    inner: LocalStore,
    faults: Mutex<Vec<Fault>>,
    calls: AtomicUsize,
}

impl FaultyStore {
    fn will(&self, fault: Fault) {
        self.faults.lock().unwrap().push(fault);
    }

    fn answer<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Completion<Result<T, StoreError>>,
    ) -> Completion<Result<T, StoreError>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.lock().unwrap().pop();
        let lost = || Error::new(ErrorKind::Timeout, Operation::Manage, "no answer");
        match fault {
            None => call(),
            Some(Fault::Away) => Completion::ready(Err(StoreError::Away(lost()))),
            Some(Fault::AnswerLost) => {
                drop(call());
                Completion::ready(Err(StoreError::Away(lost())))
            }
            Some(Fault::Absent) => {
                // It stays absent.
                self.will(Fault::Absent);
                Completion::ready(Err(StoreError::Absent("no bucket".to_owned())))
            }
        }
    }
}

impl RecordStore for FaultyStore {
    fn get(&self, key: &Text) -> Completion<Result<Option<Stored>, StoreError>> {
        self.answer(|| self.inner.get(key))
    }

    fn put(
        &self,
        key: &Text,
        value: String,
        expected: Expected,
    ) -> Completion<Result<u64, StoreError>> {
        self.answer(|| self.inner.put(key, value, expected))
    }

    fn delete(&self, key: &Text) -> Completion<Result<(), StoreError>> {
        self.answer(|| self.inner.delete(key))
    }
}

fn records(store: &Arc<FaultyStore>) -> AttemptRecords {
    let store = Arc::clone(store);
    AttemptRecords::new("billing".into(), 3, store)
}

fn place(sequence: u64) -> EventPlace<'static> {
    EventPlace {
        stream: "ORDERS",
        sequence,
        stored_at: Some(time(0)),
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the store answers at once")
}

fn stored(store: &FaultyStore, sequence: u64) -> Option<String> {
    let key = format!("attempts.billing.ORDERS.{sequence}").into();
    let stored = now(store.inner.get(&key)).unwrap()?;
    Some(String::from_utf8(stored.value.to_vec()).unwrap())
}

fn begin(records: &AttemptRecords, known: &mut Known, alone: bool) {
    let begun = now(records.begin(known, alone, time(1))).unwrap();
    assert_eq!(begun, Begun::Started);
}

fn fail(records: &AttemptRecords, known: &mut Known) -> Result<(), StoreError> {
    let dead = known.attempts() >= 3;
    now(records.failed(known, LastOutcome::Retry, dead, time(2)))
}

/// As another process does it, after a redelivery.
fn look(records: &AttemptRecords) -> (Known, Verdict) {
    let mut known = records.know(place(1));
    let verdict = now(records.look(&mut known, time(3))).unwrap();
    (known, verdict)
}

#[test]
fn an_attempt_that_fails_costs_one_write_and_a_success_nothing() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let mut known = records.know(place(1));
    records.begin_unrecorded(&mut known, false, time(1));
    assert_eq!(store.calls.load(Ordering::Relaxed), 0);
    fail(&records, &mut known).unwrap();
    assert_eq!(store.calls.load(Ordering::Relaxed), 1);
    assert_eq!(
        stored(&store, 1).unwrap(),
        "v1 at=0 starts=1 last=retry failed=2000:2000"
    );
    now(records.settled(&mut known)).unwrap();
    assert_eq!(stored(&store, 1), None);
    // One that nothing is known of is not deleted, since it was never written.
    let mut other = records.know(place(2));
    now(records.look(&mut other, time(3))).unwrap();
    let before = store.calls.load(Ordering::Relaxed);
    now(records.settled(&mut other)).unwrap();
    assert_eq!(store.calls.load(Ordering::Relaxed), before);
}

#[test]
fn attempts_are_counted_over_processes() {
    let store = Arc::<FaultyStore>::default();
    for attempt in 1..=3 {
        let records = records(&store);
        let (mut known, verdict) = look(&records);
        assert_eq!(verdict, Verdict::Beside);
        begin(&records, &mut known, false);
        assert_eq!(known.attempts(), attempt);
        fail(&records, &mut known).unwrap();
    }
    let (known, verdict) = look(&records(&store));
    assert_eq!(verdict, Verdict::Dead);
    assert_eq!(known.failed_at(), Some((time(2), time(2))));
}

#[test]
fn a_given_up_event_stays_dead_with_more_attempts() {
    let store = Arc::<FaultyStore>::default();
    let first = records(&store);
    let (mut known, _) = look(&first);
    begin(&first, &mut known, false);
    now(first.failed(&mut known, LastOutcome::Reject, true, time(2))).unwrap();
    let store: Arc<dyn RecordStore> = store;
    let generous = AttemptRecords::new("billing".into(), 100, store);
    let (known, verdict) = look(&generous);
    assert_eq!(
        (verdict, known.last_outcome()),
        (Verdict::Dead, Some(LastOutcome::Reject))
    );
}

#[test]
fn a_start_without_an_outcome_is_a_suspect_that_runs_alone() {
    let store = Arc::<FaultyStore>::default();
    let first = records(&store);
    let (mut known, _) = look(&first);
    begin(&first, &mut known, false);
    let second = records(&store);
    let (mut known, verdict) = look(&second);
    assert_eq!(verdict, Verdict::Alone);
    // It may not run beside others.
    let begun = now(second.begin(&mut known, false, time(1))).unwrap();
    assert_eq!(begun, Begun::Instead(Verdict::Alone));
    begin(&second, &mut known, true);
    fail(&second, &mut known).unwrap();
    assert_eq!(known.attempts(), 2);
    let (_, verdict) = look(&records(&store));
    assert_eq!(verdict, Verdict::Beside, "its outcome is known");
}

#[test]
fn outages_and_events_that_are_given_back_count_nothing() {
    let store = Arc::<FaultyStore>::default();
    for _ in 0..10 {
        let records = records(&store);
        let (mut known, verdict) = look(&records);
        assert_eq!(verdict, Verdict::Beside);
        begin(&records, &mut known, false);
        now(records.take_back(&mut known)).unwrap();
    }
    let (known, _) = look(&records(&store));
    assert_eq!(known.attempts(), 0);
    // At the first delivery this needs no store.
    let records = records(&store);
    let mut known = records.know(place(5));
    now(records.look(&mut known, time(1))).unwrap();
    records.begin_unrecorded(&mut known, false, time(1));
    let before = store.calls.load(Ordering::Relaxed);
    now(records.take_back(&mut known)).unwrap();
    assert_eq!(store.calls.load(Ordering::Relaxed), before);
}

#[test]
fn a_record_of_an_event_that_a_new_stream_has_replaced_is_not_its_own() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let (mut known, _) = look(&records);
    begin(&records, &mut known, false);
    now(records.failed(&mut known, LastOutcome::Retry, true, time(2))).unwrap();
    let mut other = records.know(EventPlace {
        stored_at: Some(time(9)),
        ..place(1)
    });
    let verdict = now(records.look(&mut other, time(10))).unwrap();
    assert_eq!((verdict, other.attempts()), (Verdict::Beside, 0));
    begin(&records, &mut other, false);
    assert_eq!(
        stored(&store, 1).unwrap().split(" running").next(),
        Some("v1 at=9000 starts=1")
    );
}

#[test]
fn without_a_store_attempts_are_counted_in_the_process() {
    let store = Arc::<FaultyStore>::default();
    store.will(Fault::Absent);
    let records = records(&store);
    for attempt in 1..=3 {
        let (mut known, verdict) = look(&records);
        assert_eq!(verdict, Verdict::Beside);
        begin(&records, &mut known, false);
        assert_eq!(known.attempts(), attempt);
        fail(&records, &mut known).unwrap();
    }
    assert_eq!(
        store.calls.load(Ordering::Relaxed),
        1,
        "it is not asked again"
    );
    let (mut known, verdict) = look(&records);
    assert_eq!(verdict, Verdict::Dead);
    now(records.settled(&mut known)).unwrap();
    assert_eq!(look(&records).1, Verdict::Beside);
}

#[test]
fn a_store_that_goes_away_in_between_is_replaced_by_the_process() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let (mut known, _) = look(&records);
    begin(&records, &mut known, false);
    store.will(Fault::Absent);
    fail(&records, &mut known).unwrap();
    begin(&records, &mut known, false);
    fail(&records, &mut known).unwrap();
    assert_eq!(known.attempts(), 2);
    assert_eq!(look(&records).0.attempts(), 2);
}

#[test]
fn a_start_that_could_not_be_recorded_is_not_counted() {
    for fault in [Fault::Away, Fault::AnswerLost] {
        let store = Arc::<FaultyStore>::default();
        let records = records(&store);
        let (mut known, _) = look(&records);
        for _ in 0..5 {
            store.will(fault);
            let begun = now(records.begin(&mut known, false, time(1)));
            assert!(matches!(begun, Err(StoreError::Away(_))), "{begun:?}");
        }
        begin(&records, &mut known, false);
        assert_eq!(known.attempts(), 1, "{fault:?}");
        fail(&records, &mut known).unwrap();
        let (known, verdict) = look(&records);
        assert_eq!(
            (known.attempts(), verdict),
            (1, Verdict::Beside),
            "{fault:?}"
        );
    }
}

#[test]
fn an_attempt_that_could_not_be_recorded_is_written_with_the_next() {
    for fault in [Fault::Away, Fault::AnswerLost] {
        let store = Arc::<FaultyStore>::default();
        let records = records(&store);
        let mut known = records.know(place(1));
        records.begin_unrecorded(&mut known, false, time(1));
        store.will(fault);
        assert!(fail(&records, &mut known).is_err());
        records.begin_unrecorded(&mut known, false, time(1));
        fail(&records, &mut known).unwrap();
        let (known, _) = look(&records);
        assert_eq!(known.attempts(), 2, "{fault:?}");
    }
}

#[test]
fn a_success_deletes_a_record_of_unknown_fate() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let mut known = records.know(place(1));
    records.begin_unrecorded(&mut known, false, time(1));
    store.will(Fault::AnswerLost);
    assert!(fail(&records, &mut known).is_err());
    assert!(stored(&store, 1).is_some());
    now(records.settled(&mut known)).unwrap();
    assert_eq!(stored(&store, 1), None);
}

#[test]
fn two_processes_with_one_event_lose_no_attempt() {
    let store = Arc::<FaultyStore>::default();
    let (slow, other) = (records(&store), records(&store));
    let (mut at_slow, _) = look(&slow);
    begin(&slow, &mut at_slow, false);
    // The ack wait of the first is over; it still runs.
    let (mut at_other, verdict) = look(&other);
    assert_eq!(verdict, Verdict::Alone);
    begin(&other, &mut at_other, true);
    fail(&slow, &mut at_slow).unwrap();
    // The other one is still without an outcome.
    let (known, verdict) = look(&records(&store));
    assert_eq!((known.attempts(), verdict), (2, Verdict::Alone));
    fail(&other, &mut at_other).unwrap();
    let (known, verdict) = look(&records(&store));
    assert_eq!((known.attempts(), verdict), (2, Verdict::Beside));
}

#[test]
fn a_record_that_cannot_be_read_is_written_anew() {
    let store = Arc::<FaultyStore>::default();
    let key = "attempts.billing.ORDERS.1".into();
    now(store.inner.put(&key, "?".to_owned(), Expected::Absent)).unwrap();
    let records = records(&store);
    let (mut known, verdict) = look(&records);
    assert_eq!(verdict, Verdict::Beside);
    begin(&records, &mut known, false);
    assert!(stored(&store, 1).unwrap().starts_with("v1 at=0 starts=1"));
}

#[tokio::test]
async fn a_bucket_keeps_records() {
    let bus = EventBus::builder()
        .coordination("BILLING")
        .memory()
        .unwrap();
    let store = bus.coordination();
    let records = AttemptRecords::new("billing".into(), 3, Arc::new(store.clone()));
    let mut known = records.know(place(1));
    records.begin_unrecorded(&mut known, false, time(1));
    records
        .failed(&mut known, LastOutcome::Retry, false, time(2))
        .await
        .unwrap();
    let entries = Bucket::list(&store, "attempts.billing").await.unwrap();
    assert_eq!(&*entries[0].key, "attempts.billing.ORDERS.1");
    assert_eq!(
        entries[0].value,
        "v1 at=0 starts=1 last=retry failed=2000:2000"
    );
    let begun = records.begin(&mut known, false, time(3)).await.unwrap();
    assert_eq!(begun, Begun::Started);
    let (found, verdict) = {
        let mut known = records.know(place(1));
        let verdict = records.look(&mut known, time(4)).await.unwrap();
        (known, verdict)
    };
    assert_eq!((found.attempts(), verdict), (2, Verdict::Alone));
    records.settled(&mut known).await.unwrap();
    assert_eq!(Bucket::list(&store, "").await.unwrap(), []);
}

#[tokio::test]
async fn a_bus_without_a_bucket_counts_in_the_process() {
    let bus = EventBus::memory();
    let records = AttemptRecords::new("billing".into(), 3, Arc::new(bus.coordination()));
    let mut known = records.know(place(1));
    records.begin_unrecorded(&mut known, false, time(1));
    records
        .failed(&mut known, LastOutcome::Retry, false, time(2))
        .await
        .unwrap();
    let mut again = records.know(place(1));
    records.look(&mut again, time(4)).await.unwrap();
    assert_eq!(again.attempts(), 1);
}

proptest! {
    /// One process, whose store loses calls and answers at random: attempts are never counted
    /// twice, and a record never survives the success.
    #[test]
    fn faults_never_count_an_attempt_twice(
        faults in proptest::collection::vec((0..12_usize, any::<bool>()), 0..8),
        failures in 0..6_u32,
        first_delivery: bool,
    ) {
        let store = Arc::<FaultyStore>::default();
        let store_of_records: Arc<dyn RecordStore> = store.clone();
        let records = AttemptRecords::new("billing".into(), 100, store_of_records);
        let mut schedule = vec![None; 12];
        for (at, lost) in faults {
            schedule[at] = Some(if lost { Fault::AnswerLost } else { Fault::Away });
        }
        let mut schedule = schedule.into_iter();
        let mut next_fault = || if let Some(fault) = schedule.next().flatten() { store.will(fault) };
        let mut known = records.know(place(1));
        let mut made = 0;
        for _ in 0..failures {
            if first_delivery {
                records.begin_unrecorded(&mut known, false, time(1));
            } else {
                loop {
                    next_fault();
                    if now(records.begin(&mut known, false, time(1))).is_ok() {
                        break;
                    }
                }
            }
            made += 1;
            next_fault();
            let _ = now(records.failed(&mut known, LastOutcome::Retry, false, time(2)));
            prop_assert_eq!(known.attempts(), made);
            let kept = stored(&store, 1).map_or(0, |text| {
                let starts = text.split("starts=").nth(1).unwrap();
                starts.split(' ').next().unwrap().parse::<u32>().unwrap()
            });
            prop_assert!(kept <= made, "{} of {}", kept, made);
        }
        store.faults.lock().unwrap().clear();
        now(records.settled(&mut known)).unwrap();
        prop_assert_eq!(stored(&store, 1), None);
    }
}

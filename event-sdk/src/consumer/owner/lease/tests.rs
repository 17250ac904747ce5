//! Tests of the lease: each rule by an example. The model in `consumer/model.rs` tries all orders.

use uuid::Uuid;

use super::*;

const ME: OwnerId = OwnerId(Uuid::from_u128(1));
const OTHER: OwnerId = OwnerId(Uuid::from_u128(2));

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn term() -> Term {
    Term::new(secs(12))
}

fn entry(owner: OwnerId, counter: u64) -> LeaseEntry {
    LeaseEntry {
        owner,
        term: secs(12),
        counter,
    }
}

fn reads(lease: &mut Lease, read: Option<(u64, Option<LeaseEntry>)>, now: Duration) {
    let ticket = lease.read_ticket();
    lease.observed(ticket, read, now);
}

/// An owner since second 0, with revision and epoch 5.
fn owner() -> Lease {
    let mut lease = Lease::new(ME, term());
    assert_eq!(lease.next(secs(0)), Step::Read);
    reads(&mut lease, None, secs(0));
    let step = lease.next(secs(0));
    assert_eq!(step, Step::Write(Expected::Absent, entry(ME, 1)));
    lease.answered(Answer::Done(5), secs(0));
    assert_eq!(lease.epoch(secs(0)), Some(5));
    lease
}

fn deadlines(lease: &Lease) -> (Duration, Duration) {
    let deadlines = lease.deadlines().unwrap();
    (deadlines.start_until, deadlines.cancel_at)
}

#[test]
fn a_free_lease_is_acquired_at_once_and_renewed_at_a_third_of_its_term() {
    let mut lease = owner();
    assert_eq!(lease.next(secs(0)), Step::Wait(secs(4)));
    let renewal = Step::Write(Expected::Exactly(5), entry(ME, 2));
    assert_eq!(lease.next(secs(4)), renewal);
    // One write at a time; the next event is the end of the lease.
    assert_eq!(lease.next(secs(5)), Step::Wait(secs(12)));
    lease.answered(Answer::Done(9), secs(6));
    assert_eq!(lease.epoch(secs(6)), Some(5));
    assert_eq!(lease.next(secs(6)), Step::Wait(secs(8)));
}

#[test]
fn validity_counts_from_when_the_renewal_was_sent() {
    let mut lease = owner();
    assert_eq!(deadlines(&lease), (secs(8), secs(12)));
    lease.next(secs(4));
    lease.answered(Answer::Done(9), secs(7));
    assert_eq!(deadlines(&lease), (secs(12), secs(16)));
    assert_eq!(lease.epoch(secs(15)), Some(5));
    assert_eq!(lease.epoch(secs(16)), None);
}

#[test]
fn an_acquisition_whose_answer_comes_after_its_term_is_none() {
    let mut lease = Lease::new(ME, term());
    reads(&mut lease, None, secs(0));
    lease.next(secs(0));
    lease.answered(Answer::Done(5), secs(12));
    assert_eq!(lease.epoch(secs(12)), None);
    // The entry is its own: no other owner came between.
    let step = lease.next(secs(12));
    assert_eq!(step, Step::Write(Expected::Exactly(5), entry(ME, 2)));
}

#[test]
fn a_contender_waits_for_the_whole_term_of_one_revision() {
    let mut lease = Lease::new(ME, term());
    let taken = |revision| Some((revision, Some(entry(OTHER, revision))));
    reads(&mut lease, taken(3), secs(1));
    assert_eq!(
        lease.next(secs(1)),
        Step::Wait(Duration::from_millis(14_500))
    );
    // Seen again: the time goes on. Renewed: it starts again.
    reads(&mut lease, taken(3), secs(5));
    assert_eq!(
        lease.next(secs(5)),
        Step::Wait(Duration::from_millis(14_500))
    );
    reads(&mut lease, taken(4), secs(10));
    assert_eq!(
        lease.next(secs(10)),
        Step::Wait(Duration::from_millis(23_500))
    );
    assert_eq!(lease.owner(secs(23)), Some(OTHER));
    assert_eq!(lease.owner(secs(24)), None);
    let step = lease.next(secs(24));
    assert_eq!(step, Step::Write(Expected::Exactly(4), entry(ME, 1)));
    lease.answered(Answer::WrongRevision, secs(24));
    assert_eq!(lease.next(secs(24)), Step::Read);
}

#[test]
fn a_contender_respects_the_term_in_the_entry() {
    let mut lease = Lease::new(ME, term());
    let long = LeaseEntry {
        term: secs(80),
        ..entry(OTHER, 1)
    };
    reads(&mut lease, Some((3, Some(long))), secs(0));
    assert_eq!(lease.next(secs(0)), Step::Wait(secs(90)));
    // Not the value of a lease: its own term.
    reads(&mut lease, Some((4, None)), secs(1));
    assert_eq!(
        lease.next(secs(1)),
        Step::Wait(Duration::from_millis(14_500))
    );
}

#[test]
fn a_renewal_without_an_answer_is_recognized_by_its_counter() {
    let mut lease = owner();
    lease.next(secs(4));
    lease.answered(Answer::Unknown, secs(6));
    assert_eq!(lease.next(secs(6)), Step::Read);
    // Not made, or not yet: validity stays, and it is sent again after a pause.
    reads(&mut lease, Some((5, Some(entry(ME, 1)))), secs(6));
    assert_eq!(deadlines(&lease), (secs(8), secs(12)));
    assert_eq!(lease.next(secs(6)), Step::Wait(secs(7)));
    let renewal = Step::Write(Expected::Exactly(5), entry(ME, 3));
    assert_eq!(lease.next(secs(7)), renewal);
    // Now the first one arrived before it.
    lease.answered(Answer::WrongRevision, secs(8));
    assert_eq!(lease.next(secs(8)), Step::Read);
    reads(&mut lease, Some((6, Some(entry(ME, 2)))), secs(8));
    assert_eq!(lease.epoch(secs(8)), Some(5));
    assert_eq!(deadlines(&lease), (secs(12), secs(16)));
}

#[test]
fn an_owner_that_finds_another_entry_is_none_at_once() {
    for found in [None, Some((7, Some(entry(OTHER, 1)))), Some((7, None))] {
        let mut lease = owner();
        reads(&mut lease, found, secs(1));
        assert_eq!((lease.epoch(secs(1)), lease.deadlines()), (None, None));
    }
    // Its own id, written by nobody that it knows: a copy.
    let mut lease = owner();
    reads(&mut lease, Some((7, Some(entry(ME, 9)))), secs(1));
    assert_eq!(lease.epoch(secs(1)), None);
}

#[test]
fn an_expired_owner_acquires_again_only_when_its_handlers_are_gone() {
    let mut lease = owner();
    assert_eq!(lease.next(secs(60)), Step::Wait(Duration::MAX));
    assert_eq!(lease.epoch(secs(60)), None);
    lease.cleared();
    let again = Step::Write(Expected::Exactly(5), entry(ME, 2));
    assert_eq!(lease.next(secs(61)), again);
    lease.answered(Answer::Done(6), secs(61));
    assert_eq!(lease.epoch(secs(61)), Some(6));
}

#[test]
fn a_renewal_that_is_answered_after_the_end_does_not_revive_the_ownership() {
    let mut lease = owner();
    lease.next(secs(11));
    lease.answered(Answer::Done(6), secs(13));
    assert_eq!(lease.epoch(secs(13)), None);
    lease.cleared();
    let again = Step::Write(Expected::Exactly(6), entry(ME, 3));
    assert_eq!(lease.next(secs(13)), again);
}

#[test]
fn a_read_that_may_be_older_than_a_write_is_ignored() {
    let mut lease = Lease::new(ME, term());
    reads(&mut lease, None, secs(0));
    let before = lease.read_ticket();
    lease.next(secs(0));
    let during = lease.read_ticket();
    lease.answered(Answer::Done(5), secs(1));
    lease.observed(before, None, secs(1));
    lease.observed(during, None, secs(1));
    assert_eq!(lease.epoch(secs(1)), Some(5));
    reads(&mut lease, None, secs(1));
    assert_eq!(lease.epoch(secs(1)), None);
}

#[test]
fn a_release_deletes_the_entry_also_where_an_answer_is_lost() {
    let mut lease = owner();
    lease.want(false);
    assert_eq!(lease.deadlines(), None);
    assert_eq!(lease.next(secs(1)), Step::Delete(5));
    lease.answered(Answer::Unknown, secs(2));
    assert_eq!(lease.next(secs(2)), Step::Read);
    reads(&mut lease, Some((5, Some(entry(ME, 1)))), secs(2));
    assert_eq!(lease.next(secs(3)), Step::Delete(5));
    lease.answered(Answer::Done(6), secs(3));
    assert_eq!(lease.next(secs(3)), Step::Wait(Duration::MAX));
    assert!(lease.is_free(secs(3)));
    // Wanted again, it needs no `cleared`: nothing ran at the release.
    lease.want(true);
    let step = lease.next(secs(4));
    assert_eq!(step, Step::Write(Expected::Absent, entry(ME, 4)));
}

#[test]
fn a_release_during_a_renewal_waits_for_its_answer() {
    let mut lease = owner();
    lease.next(secs(4));
    lease.want(false);
    assert_eq!(lease.next(secs(4)), Step::Wait(Duration::MAX));
    lease.answered(Answer::Done(6), secs(5));
    assert_eq!(lease.next(secs(5)), Step::Delete(6));
}

#[test]
fn the_parts_of_a_term_are_in_their_order() {
    for length in [0, 100, 101, 15_000, 7_200_000] {
        let term = Term::new(Duration::from_millis(length));
        assert!(term.retry_after() < term.renew_after());
        assert!(term.renew_after() < term.start_until());
        assert!(term.start_until() < term.length());
        assert!((100..=3_600_000).contains(&term.length().as_millis()));
    }
}

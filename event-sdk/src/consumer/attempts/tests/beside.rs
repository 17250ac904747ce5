//! A handler that ran alone, and beside which others run from some time on: what the record says, and
//! writes that meet the end of the handler.

use std::sync::Arc;

use super::super::Verdict;
use super::{FaultyStore, begin, fail, look, now, place, records, stored, time};

/// As another process finds an event whose attempts are over, with and without others beside it.
#[test]
fn an_event_beside_which_others_ran_is_not_dead() {
    for beside in [false, true] {
        let store = Arc::<FaultyStore>::default();
        let records = records(&store);
        let mut known = records.know(place(1));
        begin(&records, &mut known, false);
        begin(&records, &mut known, true);
        begin(&records, &mut known, true);
        if beside {
            let request = known.run_beside().unwrap();
            now(records.record_beside(&request)).unwrap();
        }
        let (_, verdict) = look(&records);
        let expected = if beside {
            Verdict::Alone
        } else {
            Verdict::Dead
        };
        assert_eq!(verdict, expected);
    }
}

#[test]
fn the_end_of_the_handler_may_be_recorded_before_or_after_that() {
    for ends_first in [false, true] {
        let store = Arc::<FaultyStore>::default();
        let records = records(&store);
        let mut known = records.know(place(1));
        begin(&records, &mut known, true);
        let request = known.run_beside().unwrap();
        if ends_first {
            fail(&records, &mut known).unwrap();
            now(records.record_beside(&request)).unwrap();
        } else {
            now(records.record_beside(&request)).unwrap();
            fail(&records, &mut known).unwrap();
        }
        let text = "v1 at=0 starts=1 last=retry failed=2000:2000";
        assert_eq!(stored(&store, 1).as_deref(), Some(text));
        // The next start counts as the second one.
        begin(&records, &mut known, false);
        assert_eq!(known.attempts(), 2);
    }
}

#[test]
fn a_settled_event_gets_no_record_again() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let mut known = records.know(place(1));
    begin(&records, &mut known, true);
    let request = known.run_beside().unwrap();
    now(records.settled(&mut known)).unwrap();
    now(records.record_beside(&request)).unwrap();
    assert_eq!(stored(&store, 1), None);
}

#[test]
fn a_start_that_is_not_recorded_needs_no_write() {
    let store = Arc::<FaultyStore>::default();
    let records = records(&store);
    let mut known = records.know(place(1));
    records.begin_unrecorded(&mut known, true, time(1));
    assert!(known.run_beside().is_none());
    fail(&records, &mut known).unwrap();
    assert!(!stored(&store, 1).unwrap().contains("running"));
}

//! What a look at the stream and the consumer says of jumps: certain, at most, or nothing, also where
//! filters and subjects change.

use super::*;

#[test]
fn what_was_delivered_before_a_look_is_certain_without_another() {
    let (mut tracker, _) = Tracker::begin(
        &config("s.>"),
        &bound(true, 3, 3),
        Some(&stream(4, 30, &[])),
    );
    tracker.steady.number = 5;
    let seen = |tracker: &mut Tracker, delivery| tracker.delivered(&reply(delivery), false);
    assert_eq!(seen(&mut tracker, (4, 10)), Found::Gap(exactly(4, 9, 6)));
    assert_eq!(seen(&mut tracker, (5, 31)), Found::Gap(exactly(11, 30, 20)));
    assert_eq!(seen(&mut tracker, (6, 33)), Found::Doubt);
    // Nobody answers.
    assert_eq!(tracker.judge_blindly(), Some(at_most(32, 32, 1)));
    assert!(!tracker.doubts());
}

#[test]
fn other_filters_than_before_make_a_jump_uncertain() {
    for (look, wanted) in [
        // It was passed over, and is there.
        (stream(1, 10, &[]), None),
        (stream(6, 10, &[8]), Some(at_most(3, 8, 4))),
    ] {
        let mut tracker = new("s.>");
        assert_eq!(delivers(&mut tracker, &[(1, 1), (2, 2)]), []);
        assert_eq!(tracker.delivered(&reply((3, 10)), false), Found::Doubt);
        let narrower = ConsumerLook {
            filters: Some(config("s.a").filters),
            ..idle(3, 10, 0)
        };
        let gaps = tracker.looked(&look, Some(&narrower), false, true);
        assert_eq!(gaps.first().copied(), wanted);
        // From here on the stream has to be asked.
        assert_eq!(delivers(&mut tracker, &[(4, 20)]), []);
        assert!(tracker.wants_look(false));
        // As wide as before, it is certain again of what came after that.
        let wide = ConsumerLook {
            filters: Some(config("s.>").filters),
            ..idle(4, 20, 0)
        };
        assert_eq!(
            tracker.looked(&stream(6, 20, &[8]), Some(&wide), true, false),
            []
        );
        assert_eq!(delivers(&mut tracker, &[(5, 25)]), [exactly(21, 24, 4)]);
    }
}

#[test]
fn other_subjects_than_before_make_a_jump_uncertain() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1)]), []);
    assert_eq!(tracker.delivered(&reply((2, 10)), false), Found::Doubt);
    let mut look = stream(4, 10, &[]);
    let other = Pattern::parse("t.>").unwrap();
    look.rules.subjects.as_mut().unwrap().push(other);
    let at = has(&tracker, idle(2, 10, 0));
    let gaps = tracker.looked(&look, Some(&at), false, true);
    assert_eq!(gaps, [at_most(2, 3, 2)]);
    assert_eq!(tracker.coverage, Coverage::Part);
}

#[test]
fn other_subjects_than_before_make_the_unread_uncertain() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1)]), []);
    let mut look = stream(21, 20, &[]);
    look.rules.subjects = Some(vec![Pattern::parse("s.a").unwrap()]);
    let gaps = looked(&mut tracker, &look, Some(idle(1, 1, 0)));
    assert_eq!(gaps, [at_most(2, 20, 19)]);
}

#[test]
fn a_look_judges_no_jump_beyond_what_it_saw() {
    let mut tracker = new("s.a");
    assert_eq!(delivers(&mut tracker, &[(1, 3), (2, 20), (3, 40)]), []);
    // It was begun before the last delivery.
    let gaps = looked(&mut tracker, &stream(10, 30, &[]), None);
    assert_eq!(gaps, [at_most(1, 9, 8)]);
    assert!(tracker.wants_look(false));
    let gaps = looked(&mut tracker, &stream(36, 45, &[]), None);
    assert_eq!(gaps, [at_most(21, 35, 15)]);
    assert!(!tracker.wants_look(false));
}

#[test]
fn what_is_dropped_before_it_comes_again_is_told_once() {
    let mut look = stream(5, 20, &[9]);
    let at = ConsumerLook {
        settled_to: 7,
        ..idle(12, 12, 0)
    };
    let judge = |look: &StreamLook, away: &[u64]| {
        unsettled(look, Some(&at), &away.iter().copied().collect())
    };
    // The sixth was settled elsewhere, the eighth is still to come.
    let (gap, over) = judge(&look, &[3, 4, 6, 8, 9]);
    assert_eq!(gap, Some(at_most(3, 9, 3)));
    assert_eq!(over, [3, 4, 6, 9]);
    assert_eq!(judge(&look, &[8]), (None, vec![]));
    look.rules.keeps_read = false;
    assert_eq!(judge(&look, &[3]), (None, vec![3]));
}

#[test]
fn holes_that_are_too_many_to_be_listed_are_told_of_a_jump_too() {
    let mut tracker = new("s.a");
    assert_eq!(delivers(&mut tracker, &[(1, 3), (2, 50_000)]), []);
    let look = StreamLook {
        deleted: 20_000,
        details: None,
        ..stream(3, 60_000, &[])
    };
    let gaps = looked(&mut tracker, &look, None);
    assert_eq!(gaps, [at_most(1, 49_999, 20_002)]);
}

#[test]
fn a_new_consumer_on_a_copy_that_is_behind_has_lost_nothing() {
    let mut look = stream(16, 20, &[]);
    let begin = |look: &StreamLook| Tracker::begin(&config("s.>"), &bound(false, 0, 0), Some(look));
    assert_eq!(begin(&look).1, [exactly(1, 15, 15)]);
    look.rules.copies = 3;
    let (mut tracker, gaps) = begin(&look);
    assert_eq!(gaps, []);
    assert_eq!(delivers(&mut tracker, &[(1, 16), (2, 17)]), []);
}

#[test]
fn what_is_missing_among_schedules_is_no_gap() {
    for filter in ["s.>", ">"] {
        let mut tracker = new(filter);
        let mut look = stream(4, 10, &[7]);
        (look.rules.skips, look.rules.keeps_read) = (true, false);
        let at = has(&tracker, idle(2, 10, 0));
        let gaps = tracker.looked(&look, Some(&at), false, true);
        assert_eq!((gaps, tracker.coverage), (vec![], Coverage::Nothing));
    }
}

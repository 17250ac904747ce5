//! Properties over simulated consumers in random worlds.

use std::time::Duration;

use proptest::prelude::*;

use super::super::simulation::{Simulated, World, run};
use super::{HOUR, add_judges, secs};

fn any_event(liars: bool) -> impl Strategy<Value = Simulated> {
    let liar = if liars {
        prop_oneof![20 => Just(false), 1 => Just(true)].boxed()
    } else {
        Just(false).boxed()
    };
    (0..40_u64, 1..3_000_u64, liar).prop_map(|(key, ms, liar)| Simulated {
        published_at: Duration::ZERO,
        key,
        runs_for: Duration::from_millis(ms),
        liar,
    })
}

prop_compose! {
    fn any_world(liars: bool, outages: usize)(
        mut events in proptest::collection::vec(any_event(liars), 40..200),
        outages in proptest::collection::vec((0..60_000_u64, 1..7_200_000_u64), 0..=outages),
        every in 0..500_u64,
        concurrency in 1..20_usize,
        capacity in 20..400_usize,
    ) -> World {
        let mut at = Duration::ZERO;
        for event in &mut events {
            event.published_at = at;
            at += Duration::from_millis(every);
        }
        let mut from = Duration::ZERO;
        let outages = outages.into_iter().map(|(after, long)| {
            let start = from + Duration::from_millis(after);
            from = start + Duration::from_millis(long);
            (start, from)
        }).collect();
        World { events, outages, concurrency, capacity, max_attempts: 5 }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_attempt_is_counted_in_one_outage(world in any_world(false, 1)) {
        let ledger = run(&world, secs(50 * HOUR));
        prop_assert!(ledger.counted.is_empty(), "{:?}", ledger.counted);
        prop_assert_eq!(ledger.done.len(), world.events.len());
        if world.outages.is_empty() {
            prop_assert!(ledger.starts.values().all(|&starts| starts == 1));
        }
    }

    #[test]
    fn after_any_outages_every_event_is_handled(world in any_world(false, 4)) {
        let ledger = run(&world, secs(50 * HOUR));
        prop_assert_eq!(ledger.done.len() + ledger.dead.len(), world.events.len());
        if ledger.claimed_while_full {
            return Ok(());
        }
        prop_assert!(ledger.dead.is_empty(), "{:?}", ledger.dead);
        // An event may be blamed for the end of an outage once it is doubted.
        let most = u32::try_from(world.outages.len()).unwrap().saturating_sub(1);
        prop_assert!(ledger.counted.values().all(|&counted| counted <= most), "{:?}", ledger.counted);
    }

    #[test]
    fn liars_die_and_all_others_are_handled(mut world in any_world(true, 1)) {
        add_judges(&mut world, 100);
        let ledger = run(&world, secs(50 * HOUR));
        if ledger.ended_full_and_open {
            // All that it may hold is of the keys of liars, so that nothing can judge them.
            return Ok(());
        }
        for (id, event) in world.events.iter().enumerate() {
            let id = u64::try_from(id).unwrap();
            prop_assert!(ledger.done.contains_key(&id) != event.liar, "event {}: {:?}", id, event);
            prop_assert!(ledger.dead.contains_key(&id) == event.liar, "event {}: {:?}", id, event);
            if event.liar {
                prop_assert_eq!(ledger.counted.get(&id), Some(&5));
            }
        }
    }
}

//! Tests of `Retry`: presets, bounds and jitter as properties.

use std::time::Duration;

use proptest::prelude::*;

use super::{InvalidRetry, Retry, secs};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn delays(retry: &Retry) -> Vec<u64> {
    (1..)
        .map_while(|attempt| retry.delay(attempt, 0))
        .map(|delay| delay.as_secs())
        .collect()
}

#[test]
fn presets_have_the_documented_numbers() {
    assert_eq!(delays(&Retry::at_least_once()), [1, 5, 30, 120]);
    assert_eq!(delays(&Retry::up_to_a_minute()), [1, 5, 15, 30]);
    assert_eq!(
        delays(&Retry::up_to_a_minute().max_attempts(8)),
        [1, 5, 15, 30, 60, 60, 60]
    );
    assert_eq!(delays(&Retry::none()), [0; 0]);
    assert_eq!(Retry::default(), Retry::at_least_once());
    let presets = [
        Retry::at_least_once(),
        Retry::up_to_a_minute(),
        Retry::low_latency(),
    ];
    for retry in presets {
        assert_eq!(retry.attempts(), 5);
        assert_eq!(retry.check(), Ok(()));
    }
    assert_eq!(Retry::none().check(), Ok(()));
    let low: Duration = (1..5)
        .filter_map(|attempt| Retry::low_latency().delay(attempt, 3))
        .sum();
    assert!(low <= secs(4), "{low:?}");
}

#[test]
fn a_policy_is_a_constant() {
    const RETRY: Retry = Retry::exponential(secs(1), 2.0, secs(60))
        .jitter(0.0)
        .max_attempts(9);
    assert_eq!(delays(&RETRY), [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn invalid_policies_are_refused() {
    let refused = [
        (
            Retry::steps([secs(1)]).max_attempts(0),
            InvalidRetry::NoAttempts,
        ),
        (
            Retry::steps([secs(1)]).jitter(1.01),
            InvalidRetry::Jitter(1.01),
        ),
        (
            Retry::steps([secs(1)]).jitter(-0.5),
            InvalidRetry::Jitter(-0.5),
        ),
        (
            Retry::none().max_attempts(3),
            InvalidRetry::AttemptsWithoutDelay(3),
        ),
        (
            Retry::exponential(secs(0), 2.0, secs(9)),
            InvalidRetry::NoFirstDelay,
        ),
        (
            Retry::exponential(secs(1), 0.5, secs(9)),
            InvalidRetry::Factor(0.5),
        ),
        (
            Retry::exponential(secs(1), f64::INFINITY, secs(9)),
            InvalidRetry::Factor(f64::INFINITY),
        ),
        (
            Retry::exponential(secs(5), 2.0, secs(4)),
            InvalidRetry::Cap {
                first: secs(5),
                cap: secs(4),
            },
        ),
    ];
    for (retry, reason) in refused {
        assert_eq!(retry.check(), Err(reason), "{retry:?}");
        assert!(!reason.to_string().is_empty());
    }
    let not_a_number = Retry::exponential(secs(1), f64::NAN, secs(9));
    assert!(matches!(not_a_number.check(), Err(InvalidRetry::Factor(_))));
    let not_a_number = Retry::at_least_once().jitter(f64::NAN);
    assert!(matches!(not_a_number.check(), Err(InvalidRetry::Jitter(_))));
    assert_eq!(Retry::from_steps(&[]), Err(InvalidRetry::Steps(0)));
    assert_eq!(
        Retry::from_steps(&[secs(1); 13]),
        Err(InvalidRetry::Steps(13))
    );
    assert_eq!(
        Retry::from_steps(&[secs(1); 12]),
        Ok(Retry::steps([secs(1); 12]))
    );
}

#[test]
fn the_largest_values_do_not_overflow() {
    let steps = Retry::steps([Duration::MAX]).max_attempts(u32::MAX);
    assert_eq!(steps.delay(u32::MAX - 1, 1), Some(Duration::MAX));
    let jittered = steps.jitter(1.0).delay(7, 1);
    assert!(jittered.is_some_and(|delay| delay <= Duration::MAX));
    let grown = Retry::exponential(secs(1), 1e300, DAY).max_attempts(u32::MAX);
    assert_eq!(grown.delay(u32::MAX - 1, 1), Some(DAY));
    let uncapped = Retry::exponential(secs(1), 10.0, Duration::MAX).max_attempts(u32::MAX);
    assert_eq!(uncapped.delay(1000, 1), Some(Duration::MAX));
}

#[test]
fn jitter_spreads_events_that_failed_together() {
    let retry = Retry::steps([secs(10)]).jitter(1.0).max_attempts(2);
    let mut by_second = [0_u32; 10];
    for seed in 0..1000 {
        let delay = retry.delay(1, seed).unwrap();
        by_second[usize::try_from(delay.as_secs()).unwrap().min(9)] += 1;
    }
    assert!(
        by_second.iter().all(|&count| (50..200).contains(&count)),
        "{by_second:?}"
    );
}

fn any_delay() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..=86_400_000_u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..8.0_f64, proptest::num::f64::ANY,]
}

/// Every policy that can be written, the invalid ones too.
fn any_retry() -> impl Strategy<Value = Retry> {
    let delays = prop_oneof![
        Just(Retry::none()),
        proptest::collection::vec(any_delay(), 1..=12)
            .prop_map(|steps| Retry::from_steps(&steps).unwrap()),
        (any_delay(), any_float(), any_delay())
            .prop_map(|(first, factor, cap)| Retry::exponential(first, factor, cap)),
    ];
    let jitter = prop_oneof![0.0..=1.0_f64, proptest::num::f64::ANY];
    let attempts = prop_oneof![0..20_u32, any::<u32>()];
    (delays, jitter, attempts)
        .prop_map(|(delays, jitter, attempts)| delays.jitter(jitter).max_attempts(attempts))
}

proptest! {
    #[test]
    fn attempts_end_exactly_at_their_number(retry in any_retry(), attempt: u32, seed: u64) {
        let delay = retry.delay(attempt, seed);
        if attempt >= retry.attempts() {
            prop_assert_eq!(delay, None);
        } else if retry.check().is_ok() {
            prop_assert!(delay.is_some());
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_delay(retry in any_retry(), attempt: u32, seed: u64) {
        prop_assert_eq!(retry.delay(attempt, seed), retry.delay(attempt, seed));
    }

    #[test]
    fn jitter_only_shortens(
        steps in proptest::collection::vec(any_delay(), 1..=12),
        jitter in 0.0..=1.0_f64,
        attempt in 1..100_u32,
        seed: u64,
    ) {
        let plain = Retry::from_steps(&steps).unwrap().max_attempts(101);
        let (full, short) = (plain.delay(attempt, seed), plain.jitter(jitter).delay(attempt, seed));
        let (full, short) = (full.unwrap(), short.unwrap());
        prop_assert!(short <= full);
        // One part in 2^52 is the rounding of an f64.
        let least = full.as_secs_f64() * (1.0 - jitter);
        prop_assert!(short.as_secs_f64() >= least * (1.0 - 1e-15) - 1e-9, "{short:?} {least}");
    }

    #[test]
    fn exponential_delays_grow_up_to_the_cap(
        first in 1..10_000_u64,
        factor in 1.0..10.0_f64,
        more in 0..86_400_u64,
    ) {
        let first = Duration::from_millis(first);
        let cap = first + secs(more);
        let retry = Retry::exponential(first, factor, cap).max_attempts(u32::MAX);
        prop_assert_eq!(retry.check(), Ok(()));
        prop_assert_eq!(retry.delay(1, 0), Some(first));
        let mut before = Duration::ZERO;
        for attempt in 1..60 {
            let delay = retry.delay(attempt, 0).unwrap();
            prop_assert!(before <= delay && delay <= cap);
            before = delay;
        }
    }
}

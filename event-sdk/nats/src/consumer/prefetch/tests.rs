//! The window in a simulation of a server and a caller, without a clock.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use event_sdk_core::transport::ConsumerName;

fn config(ack_wait: Duration) -> ConsumerConfig {
    let mut config = ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new());
    config.ack_wait = ack_wait;
    config
}

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A caller who takes one message after the other from a server with an endless backlog.
struct Serial {
    window: Window,
    now: Duration,
    round_trip: Duration,
    settled: u64,
    /// When what was requested comes.
    coming: VecDeque<Duration>,
    /// Since when the messages that came wait.
    waiting: VecDeque<Duration>,
    /// The longest time from the coming of a message until it was settled.
    longest: Duration,
}

impl Serial {
    fn new(config: &ConsumerConfig, round_trip: Duration) -> Self {
        Self {
            window: Window::new(Prefetch::Adaptive, config),
            now: ms(5),
            round_trip,
            settled: 0,
            coming: VecDeque::new(),
            waiting: VecDeque::new(),
            longest: Duration::ZERO,
        }
    }

    fn ask(&mut self, waits: bool) {
        let size = self.window.size(self.now).max(u32::from(waits)) as usize;
        let outstanding = self.coming.len() + self.waiting.len();
        if outstanding <= size / 2 {
            let at = self.now + self.round_trip;
            self.coming.extend((outstanding..size).map(|_| at));
        }
    }

    fn arrive(&mut self) {
        while self.coming.front().is_some_and(|at| *at <= self.now) {
            self.waiting.extend(self.coming.pop_front());
            self.window.arrived();
        }
    }

    /// Handles one message; how many wait then.
    fn handle(&mut self, takes: Duration) -> usize {
        self.window.settled(self.settled, self.now);
        self.window.called(self.now);
        self.arrive();
        if self.waiting.is_empty() {
            self.ask(true);
            self.now = self.coming[0];
            self.arrive();
        }
        let came = self.waiting.pop_front().unwrap();
        self.window.handed_out(self.now);
        self.ask(false);
        self.now += takes;
        self.arrive();
        self.settled += 1;
        self.longest = self.longest.max(self.now.saturating_sub(came));
        self.waiting.len()
    }

    fn handle_all(&mut self, count: usize, takes: Duration) -> usize {
        (0..count).map(|_| self.handle(takes)).max().unwrap()
    }
}

#[test]
fn a_fast_caller_gets_all_that_it_settles_in_a_quarter_of_a_second() {
    for round_trip in [ms(0), ms(1), ms(40)] {
        let mut caller = Serial::new(&config(HALF_A_MINUTE), round_trip);
        caller.handle_all(3_000, Duration::from_micros(100));
        assert_eq!(caller.window.size(caller.now), 1000, "{round_trip:?}");
        let mut caller = Serial::new(&config(HALF_A_MINUTE), round_trip);
        caller.handle_all(3_000, ms(1));
        let size = caller.window.size(caller.now);
        assert!((240..=250).contains(&size), "{size} at {round_trip:?}");
    }
}

#[test]
fn it_is_fast_after_few_messages() {
    let mut caller = Serial::new(&config(HALF_A_MINUTE), ms(1));
    caller.handle_all(1_000, Duration::from_micros(10));
    // As many round trips as it takes to double a thousand times, and a few.
    assert!(caller.now < ms(5 + 10 + 20), "{:?}", caller.now);
}

#[test]
fn a_slow_caller_has_one_message_ahead_and_none_waits_long() {
    for (takes, ack_wait) in [(200, 3_000), (150, 1_000), (240, 30_000), (1_000, 30_000)] {
        let mut caller = Serial::new(&config(ms(ack_wait)), ms(1));
        assert_eq!(caller.handle_all(40, ms(takes)), 1, "{takes}");
        assert!(caller.longest <= ms(2 * takes), "{:?}", caller.longest);
    }
}

#[test]
fn nothing_is_ahead_where_a_third_of_the_ack_wait_is_too_short_for_one() {
    let mut caller = Serial::new(&config(ms(1_000)), ms(1));
    assert_eq!(caller.handle_all(20, ms(400)), 0);
    assert_eq!(caller.longest, ms(400));
    let mut backoff = config(HALF_A_MINUTE);
    backoff.backoff = vec![ms(1_000), ms(10_000)];
    assert_eq!(Serial::new(&backoff, ms(1)).handle_all(20, ms(400)), 0);
}

#[test]
fn a_caller_who_becomes_slow_gets_no_more_at_once() {
    let mut caller = Serial::new(&config(HALF_A_MINUTE), ms(1));
    let held = caller.handle_all(1_000, ms(1));
    assert!(held > 100);
    caller.handle(ms(500));
    caller.handle(ms(500));
    assert_eq!(caller.window.size(caller.now), 1);
    assert!(caller.coming.is_empty());
    // What it has is all that it handles before it asks again.
    let held = caller.waiting.len();
    caller.handle_all(held, ms(500));
    assert!(caller.waiting.len() <= 1, "{}", caller.waiting.len());
    // And it becomes fast again.
    caller.handle_all(1_000, ms(1));
    assert!(caller.window.size(caller.now) > 200);
}

#[test]
fn nothing_waits_for_longer_than_a_third_of_the_ack_wait_at_any_steady_rate() {
    for takes in [1, 2, 3, 5, 7, 10, 20, 30, 60, 100, 150, 300, 700] {
        for ack_wait in [50, 100, 300, 750, 1_000, 3_000, 30_000] {
            for round_trip in [0, 1, 20] {
                let mut caller = Serial::new(&config(ms(ack_wait)), ms(round_trip));
                caller.handle_all(500, ms(takes));
                let most = ms((ack_wait / 3).max(takes) + takes);
                assert!(
                    caller.longest <= most,
                    "{:?} at {takes} ms and an ack wait of {ack_wait} ms",
                    caller.longest
                );
            }
        }
    }
}

/// What happens to a window.
#[derive(Debug, Clone, Copy)]
enum Event {
    Called,
    Arrived,
    HandedOut,
    Settled(u64),
    Unserved(u32, u32),
}

fn event() -> impl Strategy<Value = (u64, Event)> {
    let event = prop_oneof![
        Just(Event::Called),
        Just(Event::Arrived),
        Just(Event::HandedOut),
        (0..100_u64).prop_map(Event::Settled),
        (0..2_000_u32, 0..2_000_u32).prop_map(|(asked, left)| Event::Unserved(asked, left)),
    ];
    // From a microsecond to some seconds.
    ((0..22_u32).prop_map(|bits| 1 << bits), event)
}

proptest! {
    #[test]
    fn the_window_stays_between_its_bounds_whatever_happens(
        ack_wait in 1..5_000_u64,
        pending in 0..2_000_u32,
        events in vec(event(), 1..400),
    ) {
        let mut config = config(ms(ack_wait));
        config.max_ack_pending = NonZeroU32::new(pending);
        let most = config.max_ack_pending.map_or(1_000, |most| most.get().min(1_000));
        let mut window = Window::new(Prefetch::Adaptive, &config);
        let (mut now, mut settled, mut handed_out) = (Duration::ZERO, 0, 0);
        for (micros, event) in events {
            now += Duration::from_micros(micros);
            match event {
                Event::Called => window.called(now),
                Event::Arrived => window.arrived(),
                Event::HandedOut => {
                    window.handed_out(now);
                    handed_out += 1;
                }
                Event::Settled(more) => {
                    settled = handed_out.min(settled + more);
                    window.settled(settled, now);
                }
                Event::Unserved(asked, left) => window.unserved(asked, left),
            }
            prop_assert!(window.size(now) <= most);
        }
    }
}

#[test]
fn a_caller_who_spawns_a_task_for_each_message_gets_half_as_many_as_run_before_it_settles_one() {
    let mut window = Window::new(Prefetch::Adaptive, &config(HALF_A_MINUTE));
    for running in 1..=100 {
        window.called(ms(running));
        window.handed_out(ms(running));
        for _ in 0..1_000 {
            window.arrived();
        }
        assert_eq!(u64::from(window.size(ms(running))), running / 2);
    }
    // A hundred in five seconds are five in a quarter of one.
    window.settled(100, ms(5_000));
    for more in 0..20 {
        window.called(ms(5_000 + more));
        window.handed_out(ms(5_000 + more));
        for _ in 0..1_000 {
            window.arrived();
        }
    }
    assert_eq!(window.size(ms(5_020)), 5);
}

#[test]
fn requests_that_end_unserved_make_it_smaller() {
    let mut caller = Serial::new(&config(HALF_A_MINUTE), ms(1));
    caller.handle_all(1_000, ms(1));
    let before = caller.window.size(caller.now);
    caller.window.unserved(before, before);
    let after = caller.window.size(caller.now);
    assert!(after <= 250 && after * 2 >= before, "{before} {after}");
    for _ in 0..20 {
        caller.window.unserved(10, 6);
    }
    assert_eq!(caller.window.size(caller.now), 1);
    caller.window.unserved(10, 5);
    caller.handle_all(1_000, ms(1));
    assert!(caller.window.size(caller.now) > 200);
}

#[test]
fn with_max_deliver_nothing_is_ahead() {
    let mut few = config(HALF_A_MINUTE);
    few.max_deliver = NonZeroU32::new(3);
    let mut caller = Serial::new(&few, ms(1));
    assert_eq!(caller.handle_all(100, ms(1)), 0);
    assert_eq!(caller.longest, ms(1));
    // Unless that was asked for.
    let mut fixed = Window::new(Prefetch::Fixed(7), &few);
    assert_eq!(fixed.size(ms(0)), 7);
}

#[test]
fn without_acks_only_the_calls_count() {
    let mut unacked = config(ms(1));
    unacked.ack = AckPolicy::None;
    let mut caller = Serial::new(&unacked, ms(1));
    caller.handle_all(1_000, ms(1));
    let size = caller.window.size(caller.now);
    assert!((240..=250).contains(&size), "{size}");
    assert_eq!(Serial::new(&unacked, ms(1)).handle_all(20, ms(400)), 1);
}

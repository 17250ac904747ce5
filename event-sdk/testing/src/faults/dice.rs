//! `Dice`: decides by the seed, the kind of fault and the message, and by nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Fault;

/// The decisions of one seed. They do not depend on the order in which different messages come.
#[derive(Debug)]
pub(super) struct Dice {
    seed: u64,
    /// How often each kind was asked about each message.
    asked: Mutex<HashMap<(Fault, u64), u64>>,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            asked: Mutex::default(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number in `0.0..1.0` for this message, another one each time that it is asked for.
    pub(super) fn roll(&self, fault: Fault, message: &str) -> f64 {
        let message = hash(message);
        let time = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry((fault, message)).or_default();
            *times += 1;
            *times
        };
        let mut state = self.seed;
        for part in [fault as u64, message, time] {
            state = mixed(state ^ part);
        }
        unit(state)
    }
}

/// FNV-1a: the same in each process, unlike the hashes of std's maps.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One step of `SplitMix64`.
fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The first 32 bits as a fraction, which is exact.
fn unit(bits: u64) -> f64 {
    let high = u32::try_from(bits >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_alike_whatever_comes_between() {
        let (one, other) = (Dice::new(7), Dice::new(7));
        let alone: Vec<_> = (0..5).map(|_| one.roll(Fault::Delay, "a")).collect();
        let among: Vec<_> = (0..5)
            .map(|_| {
                other.roll(Fault::Delay, "b");
                other.roll(Fault::LostAck, "a");
                other.roll(Fault::Delay, "a")
            })
            .collect();
        assert_eq!(alone, among);
        let another = Dice::new(8).roll(Fault::Delay, "a");
        for other in [alone[1], another] {
            assert!((alone[0] - other).abs() > f64::EPSILON);
        }
    }

    #[test]
    fn the_numbers_are_spread_evenly() {
        let dice = Dice::new(1);
        let low = (0..10_000)
            .filter(|_| dice.roll(Fault::Delay, "a") < 0.1)
            .count();
        assert!((900..1100).contains(&low), "{low} of 10000 below 0.1");
        let low = (0..10_000)
            .filter(|number| dice.roll(Fault::Delay, &number.to_string()) < 0.1)
            .count();
        assert!(
            (900..1100).contains(&low),
            "{low} of 10000 messages below 0.1"
        );
    }
}

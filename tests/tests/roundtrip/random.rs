//! `Random`: random values of a type. The edges of a type come up far more often than by chance.

mod library;
mod std_types;
mod text;

pub(crate) use library::{AnyJson, json};
pub(crate) use text::key;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// Makes random values of a type.
pub(crate) trait Random {
    /// The next value.
    fn random(rng: &mut Rng) -> Self;
}

/// A random value of whatever type is needed.
pub(crate) fn any<T: Random>(rng: &mut Rng) -> T {
    T::random(rng)
}

/// As many random values as `at_most`, or fewer.
pub(crate) fn some<T: Random, C: FromIterator<T>>(rng: &mut Rng, at_most: usize) -> C {
    let len = rng.usize(..=at_most);
    (0..len).map(|_| any(rng)).collect()
}

/// One of these expressions, each as likely as the others.
macro_rules! one_of {
    ($rng:ident: $($make:expr),+ $(,)?) => {{
        let make: &[fn(&mut fastrand::Rng) -> Self] = &[$(|$rng| {
            let _ = &$rng;
            $make
        }),+];
        make[$rng.usize(..make.len())]($rng)
    }};
}

/// `Random` for a struct with named fields: each field is random.
macro_rules! random_fields {
    ($($name:ident { $($field:ident),* $(,)? })+) => {$(
        impl $crate::random::Random for $name {
            fn random(rng: &mut fastrand::Rng) -> Self {
                let _ = &rng;
                Self { $($field: $crate::random::any(rng)),* }
            }
        }
    )+};
}

/// `Random` for a newtype.
macro_rules! random_newtype {
    ($($name:ident),+ $(,)?) => {$(
        impl $crate::random::Random for $name {
            fn random(rng: &mut fastrand::Rng) -> Self {
                Self($crate::random::any(rng))
            }
        }
    )+};
}

pub(crate) use {one_of, random_fields, random_newtype};

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl Random for $type {
            fn random(rng: &mut Rng) -> Self {
                let any = rng.$type(..);
                match rng.u8(..8) {
                    0 => $type::MIN,
                    1 => $type::MAX,
                    2 => rng.u8(..3).into(),
                    // Of every length in bits.
                    3 | 4 => any >> rng.u32(..$type::BITS),
                    _ => any,
                }
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, i16, i32, i64, i128);

/// Without a conversion from `u8`, or with a size that depends on the machine.
macro_rules! cast_integers {
    ($($type:ident from $wide:ident),*) => {$(
        impl Random for $type {
            fn random(rng: &mut Rng) -> Self {
                let wide: $wide = any(rng);
                match rng.u8(..8) {
                    0 => $type::MIN,
                    1 => $type::MAX,
                    _ => $type::from_ne_bytes(wide.to_ne_bytes()),
                }
            }
        }
    )*};
}

cast_integers!(i8 from u8);
#[cfg(target_pointer_width = "64")]
cast_integers!(usize from u64, isize from u64);

impl Random for bool {
    fn random(rng: &mut Rng) -> Self {
        rng.bool()
    }
}

impl Random for () {
    fn random(_: &mut Rng) -> Self {}
}

/// A float that is the same only if all its bits are. JSON has no infinity and no NaN, and events
/// with those are refused, so it is finite.
macro_rules! floats {
    ($($name:ident($float:ident, $bits:ident)),*) => {$(
        #[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $float);

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.to_bits() == other.0.to_bits()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_bits().hash(state);
            }
        }

        impl Random for $name {
            fn random(rng: &mut Rng) -> Self {
                const MANTISSA: u32 = $float::MANTISSA_DIGITS - 1;
                let bits = rng.$bits(..);
                let value = match rng.u8(..8) {
                    0 => [
                        0.0, -0.0, $float::MIN_POSITIVE, $float::MAX, $float::MIN,
                        $float::EPSILON, 0.1, -1.0, $float::from_bits(1),
                    ][rng.usize(..9)],
                    // Subnormal, or zero.
                    1 => $float::from_bits(bits >> rng.u32($bits::BITS - MANTISSA..$bits::BITS)),
                    // Without a fraction.
                    2 => $float::from_bits(bits).round(),
                    // As people write prices.
                    3 => $float::from(rng.i16(..)) / 100.0,
                    // Around one, where most numbers are.
                    4 => rng.$float() * $float::from(rng.u16(..)),
                    _ => $float::from_bits(bits),
                };
                if value.is_finite() {
                    Self(value)
                } else {
                    // Another one, since this is no number.
                    any(rng)
                }
            }
        }
    )*};
}

floats!(F64(f64, u64), F32(f32, u32));

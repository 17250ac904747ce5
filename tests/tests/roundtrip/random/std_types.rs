//! Random containers, pointers, tuples, arrays and other types of the standard library.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZero, Saturating, Wrapping};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{array, cmp, marker};

use fastrand::Rng;

use super::{Random, any, one_of, some};

/// How many elements a container has at most.
const ELEMENTS: usize = 4;

macro_rules! containers {
    ($($name:ident<$($item:ident: ($($bound:ident)*)),*> of $element:ty;)*) => {$(
        impl<$($item: Random $(+ $bound)*),*> Random for $name<$($item),*> {
            fn random(rng: &mut Rng) -> Self {
                some::<$element, _>(rng, ELEMENTS)
            }
        }
    )*};
}

containers! {
    Vec<T: ()> of T;
    VecDeque<T: ()> of T;
    LinkedList<T: ()> of T;
    BTreeSet<T: (Ord)> of T;
    BTreeMap<K: (Ord), V: ()> of (K, V);
}

impl<T: Random + Eq + Hash, S: BuildHasher + Default> Random for HashSet<T, S> {
    fn random(rng: &mut Rng) -> Self {
        some(rng, ELEMENTS)
    }
}

impl<K: Random + Eq + Hash, V: Random, S: BuildHasher + Default> Random for HashMap<K, V, S> {
    fn random(rng: &mut Rng) -> Self {
        some::<(K, V), _>(rng, ELEMENTS)
    }
}

impl<T: Random> Random for Box<[T]> {
    fn random(rng: &mut Rng) -> Self {
        some(rng, ELEMENTS)
    }
}

impl<T: Random> Random for Option<T> {
    fn random(rng: &mut Rng) -> Self {
        rng.bool().then(|| any(rng))
    }
}

impl<T: Random, E: Random> Random for Result<T, E> {
    fn random(rng: &mut Rng) -> Self {
        if rng.bool() {
            Ok(any(rng))
        } else {
            Err(any(rng))
        }
    }
}

impl<T: Random, const N: usize> Random for [T; N] {
    fn random(rng: &mut Rng) -> Self {
        array::from_fn(|_| any(rng))
    }
}

macro_rules! wrappers {
    ($($name:ident by $make:expr;)*) => {$(
        impl<T: Random> Random for $name<T> {
            fn random(rng: &mut Rng) -> Self {
                $make(any(rng))
            }
        }
    )*};
}

use cmp::Reverse;

wrappers! {
    Box by Box::new;
    Arc by Arc::new;
    Wrapping by Wrapping;
    Saturating by Saturating;
    Reverse by Reverse;
}

impl<T> Random for marker::PhantomData<T> {
    fn random(_: &mut Rng) -> Self {
        marker::PhantomData
    }
}

macro_rules! tuples {
    ($(($($item:ident)*))*) => {$(
        impl<$($item: Random),*> Random for ($($item,)*) {
            fn random(rng: &mut Rng) -> Self {
                ($($item::random(rng),)*)
            }
        }
    )*};
}

tuples! {
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E F G H I J K L)
}

impl<T: Random> Random for Range<T> {
    fn random(rng: &mut Rng) -> Self {
        any(rng)..any(rng)
    }
}

impl<T: Random> Random for RangeInclusive<T> {
    fn random(rng: &mut Rng) -> Self {
        any(rng)..=any(rng)
    }
}

impl<T: Random> Random for RangeFrom<T> {
    fn random(rng: &mut Rng) -> Self {
        any(rng)..
    }
}

impl<T: Random> Random for RangeTo<T> {
    fn random(rng: &mut Rng) -> Self {
        ..any(rng)
    }
}

impl<T: Random> Random for Bound<T> {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: Bound::Unbounded, Bound::Included(any(rng)), Bound::Excluded(any(rng)))
    }
}

macro_rules! non_zero {
    ($($type:ident)*) => {$(
        impl Random for NonZero<$type> {
            fn random(rng: &mut Rng) -> Self {
                NonZero::new(any(rng)).unwrap_or(NonZero::<$type>::MAX)
            }
        }
    )*};
}

non_zero!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

impl Random for Duration {
    fn random(rng: &mut Rng) -> Self {
        let nanos = match rng.u8(..4) {
            0 => 0,
            1 => 999_999_999,
            _ => rng.u32(..1_000_000_000),
        };
        Duration::new(any(rng), nanos)
    }
}

impl Random for SystemTime {
    fn random(rng: &mut Rng) -> Self {
        let since = Duration::new(rng.u64(..1 << 40), rng.u32(..1_000_000_000));
        SystemTime::UNIX_EPOCH + since
    }
}

impl Random for Ipv4Addr {
    fn random(rng: &mut Rng) -> Self {
        u32::random(rng).into()
    }
}

impl Random for Ipv6Addr {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: u128::random(rng).into(), Ipv4Addr::random(rng).to_ipv6_mapped())
    }
}

impl Random for IpAddr {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: IpAddr::V4(any(rng)), IpAddr::V6(any(rng)))
    }
}

impl Random for SocketAddrV4 {
    fn random(rng: &mut Rng) -> Self {
        SocketAddrV4::new(any(rng), any(rng))
    }
}

impl Random for SocketAddrV6 {
    /// Without flow information, which serde does not write.
    fn random(rng: &mut Rng) -> Self {
        SocketAddrV6::new(any(rng), any(rng), 0, any(rng))
    }
}

impl Random for SocketAddr {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: SocketAddr::V4(any(rng)), SocketAddr::V6(any(rng)))
    }
}

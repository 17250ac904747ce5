//! Lists, sets, maps with every type of key that JSON has, tuples, arrays, pointers and nesting.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use event_sdk::Pii;
use fastrand::Rng;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event;
use crate::random::{F32, F64, Random, any, one_of, random_fields, random_newtype};

event! {
    /// Values inside of other values.
    ContainerValues("packed") {
        vec: Vec<u64>,
        deque: VecDeque<F32>,
        linked: LinkedList<String>,
        slice: Box<[i8]>,
        hash_set: HashSet<i128>,
        tree_set: BTreeSet<String>,
        set_of_floats: BTreeSet<F64>,
        by_text: BTreeMap<String, F64>,
        by_hash: HashMap<String, Option<i64>>,
        by_char: BTreeMap<char, u8>,
        by_bool: BTreeMap<bool, char>,
        by_i8: BTreeMap<i8, i8>,
        by_i16: HashMap<i16, bool>,
        by_i32: BTreeMap<i32, u32>,
        by_i64: BTreeMap<i64, F32>,
        by_i128: BTreeMap<i128, i128>,
        by_u8: HashMap<u8, String>,
        by_u16: BTreeMap<u16, u128>,
        by_u32: BTreeMap<u32, Vec<u8>>,
        by_u64: BTreeMap<u64, Pair>,
        by_u128: HashMap<u128, u8>,
        by_f32: BTreeMap<F32, F32>,
        by_f64: BTreeMap<F64, F64>,
        by_uuid: HashMap<Uuid, Uuid>,
        by_address: BTreeMap<IpAddr, u8>,
        by_time: BTreeMap<Timestamp, u8>,
        by_name: BTreeMap<Side, u8>,
        by_newtype: BTreeMap<Id, u8>,
        by_not_zero: BTreeMap<NonZero<u16>, u8>,
        by_person: BTreeMap<Pii<String>, u8>,
        none: [u8; 0],
        array: [F64; 3],
        longest: [u8; 32],
        one: (i128,),
        two: (u8, String),
        twelve: (u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, F32, F64),
        nested: (u8, (i8, [Option<(char,)>; 2])),
        boxed: Box<F64>,
        shared: Arc<Pair>,
        lists: Vec<Vec<Vec<i32>>>,
        holes: Vec<Option<u64>>,
        list_or_none: Option<Vec<Option<String>>>,
        maps: BTreeMap<String, BTreeMap<u8, HashMap<String, [bool; 2]>>>,
        pair: Pair,
        pairs: Vec<Pair>,
        tuple_struct: Triple,
        maybe_boxed: Option<Box<Pair>>,
        empty: Empty,
        tree: Tree,
        chain: Chain,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pair {
    x: F64,
    y: Option<F32>,
}

/// A struct with names, of which there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Empty {}

random_fields! {
    Pair { x, y }
    Empty {}
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Triple(u8, Pair, Option<i64>);

impl Random for Triple {
    fn random(rng: &mut Rng) -> Self {
        Self(any(rng), any(rng), any(rng))
    }
}

/// A key that is written as the name of its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Side {
    LeftHand,
    RightHand,
    #[serde(rename = "none of \"both\"")]
    Neither,
}

impl Random for Side {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: Self::LeftHand, Self::RightHand, Self::Neither)
    }
}

/// A key that is written as the number in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Id(u64);

random_newtype!(Id);

/// Wide, and not deep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tree {
    weight: F64,
    branches: Vec<Tree>,
}

impl Random for Tree {
    fn random(rng: &mut Rng) -> Self {
        fn tree(rng: &mut Rng, depth: u8) -> Tree {
            let branches = if depth == 0 { 0 } else { rng.usize(..3) };
            Tree {
                weight: any(rng),
                branches: (0..branches).map(|_| tree(rng, depth - 1)).collect(),
            }
        }
        tree(rng, 4)
    }
}

/// As deep as JSON is read: the data are one level, and the chain has the other 126.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Chain {
    next: Option<Box<Chain>>,
}

impl Random for Chain {
    fn random(rng: &mut Rng) -> Self {
        let depth = match rng.u8(..16) {
            0 => 125,
            1..4 => rng.usize(..=125),
            _ => rng.usize(..3),
        };
        let end = Self { next: None };
        (0..depth).fold(end, |next, _| Self {
            next: Some(Box::new(next)),
        })
    }
}

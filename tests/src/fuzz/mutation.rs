//! Changes inputs at random: bytes, pieces of the grammar of JSON and subjects, and whole JSON values.

use fastrand::Rng;
use serde_json::Value;

/// The longest input that is made.
const LONGEST: usize = 16 * 1024;

/// One of the seeds, changed in a few places.
///
/// # Panics
///
/// If there are no seeds.
#[must_use]
pub fn mutate(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    assert!(!seeds.is_empty(), "a target has seeds");
    let mut input = seeds[rng.usize(..seeds.len())].clone();
    if rng.u8(..32) == 0 {
        input = (0..rng.usize(..64)).map(|_| rng.u8(..)).collect();
    }
    // One in ten stays valid JSON of another shape.
    if rng.u8(..10) < 4
        && let Some(changed) = change_json(&input, rng)
    {
        input = changed;
        if rng.u8(..4) != 0 {
            return input;
        }
    }
    for _ in 0..rng.usize(1..5) {
        change_bytes(&mut input, seeds, rng);
    }
    input.truncate(LONGEST);
    input
}

/// Texts that mean something to a reader.
const WORDS: [&str; 56] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "null",
    "true",
    "-0",
    "1e999",
    "-1e-999",
    "0.1",
    "1.",
    "18446744073709551616",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\\uFFFF",
    "\u{feff}",
    "\u{2028}",
    "\u{202e}",
    "\u{0}",
    "\r\n",
    "\n",
    "\t",
    " ",
    ".",
    "..",
    "*",
    ">",
    "*.>",
    "$JS.API",
    "_INBOX",
    "=",
    "=20",
    "=zz",
    "@",
    "//",
    "nats://",
    "tls://",
    "[::1]:4222",
    "%2C",
    "%",
    "-----BEGIN NATS USER JWT-----",
    "0000-",
    "-00:00",
    "23:59:60Z",
    "99999999999",
    "{\"",
    "[[[[[[[[[[[[[[[[[[[[[[[[",
    "\u{1f600}",
    "event_id",
];

fn change_bytes(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(..=input.len());
    match rng.u8(..9) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 if at < input.len() => drop(input.remove(at)),
        3 => {
            let end = (at + rng.usize(..40)).min(input.len());
            input.drain(at..end);
        }
        4 => {
            let end = (at + rng.usize(..40)).min(input.len());
            let piece = input[at..end].to_vec();
            let times = if rng.u8(..16) == 0 {
                rng.usize(..200)
            } else {
                1
            };
            for _ in 0..times.min(LONGEST / piece.len().max(1)) {
                input.splice(at..at, piece.iter().copied());
            }
        }
        5 => {
            let other = &seeds[rng.usize(..seeds.len())];
            let begin = rng.usize(..=other.len());
            let end = rng.usize(begin..=other.len());
            input.splice(at.., other[begin..end].iter().copied());
        }
        6 => input.truncate(at),
        _ => {
            let word = WORDS[rng.usize(..WORDS.len())].bytes();
            let end = if rng.bool() {
                at
            } else {
                (at + 1).min(input.len())
            };
            input.splice(at..end, word);
        }
    }
}

/// The JSON in the input, or in the last lines of it, with one value changed.
fn change_json(input: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let begin = input.iter().position(|byte| *byte == b'{')?;
    let mut value: Value = serde_json::from_slice(&input[begin..]).ok()?;
    let places = count(&value);
    let mut place = rng.usize(..places);
    change_at(&mut value, &mut place, rng);
    let mut changed = input[..begin].to_vec();
    changed.extend(serde_json::to_vec(&value).ok()?);
    Some(changed)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value that is `place` values away.
fn change_at(value: &mut Value, place: &mut usize, rng: &mut Rng) {
    if *place == 0 {
        change(value, rng);
    }
    // Nothing in it is the one again: the number would have to come round.
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| change_at(one, place, rng)),
        Value::Object(map) => map.values_mut().for_each(|one| change_at(one, place, rng)),
        _ => {}
    }
}

fn change(value: &mut Value, rng: &mut Rng) {
    let other = match rng.u8(..9) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => [0, 1, u64::MAX, 1 << 53][rng.usize(..4)].into(),
        3 => (-rng.i64(0..)).into(),
        4 => f64::from_bits(rng.u64(..)).into(),
        5 => WORDS[rng.usize(..WORDS.len())].into(),
        6 => Value::Array(vec![value.clone(); rng.usize(..4)]),
        7 => (0..rng.usize(..140)).fold(value.take(), |inner, _| vec![inner].into()),
        _ => match value {
            Value::Object(map) if !map.is_empty() => {
                let name = map.keys().nth(rng.usize(..map.len())).cloned();
                let name = name.unwrap_or_default();
                let moved = map.remove(&name).unwrap_or_default();
                match rng.u8(..3) {
                    0 => {}
                    1 => drop(map.insert(WORDS[rng.usize(..WORDS.len())].into(), moved)),
                    _ => {
                        map.insert(name.to_uppercase(), moved.clone());
                        map.insert(name, moved);
                    }
                }
                return;
            }
            Value::String(text) => {
                text.push_str(WORDS[rng.usize(..WORDS.len())]);
                return;
            }
            _ => Value::Object(serde_json::Map::from_iter([(
                "a".to_owned(),
                value.clone(),
            )])),
        },
    };
    *value = other;
}

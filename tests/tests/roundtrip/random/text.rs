//! Random characters and strings: every code point, and often those that JSON escapes.

use std::borrow::Cow;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::Arc;

use event_sdk::subject::grammar::escape_key;
use fastrand::Rng;

use super::{Random, any};

impl Random for char {
    fn random(rng: &mut Rng) -> Self {
        /// What JSON, JavaScript, subjects or UTF-8 treat in a way of their own.
        const ODD: [char; 16] = [
            '"',
            '\\',
            '/',
            '\0',
            '\u{7f}',
            '\u{80}',
            '\u{a0}',
            '\u{2028}',
            '\u{2029}',
            '\u{feff}',
            '\u{fffd}',
            '\u{ffff}',
            '\u{d7ff}',
            '\u{e000}',
            '\u{10000}',
            '\u{10ffff}',
        ];
        match rng.u8(..8) {
            0 => ODD[rng.usize(..ODD.len())],
            1 => char::from(rng.u8(..0x20)),
            2 => rng.char('\u{80}'..='\u{7ff}'),
            3 => rng.char('\u{800}'..='\u{ffff}'),
            4 => rng.char('\u{10000}'..='\u{10ffff}'),
            5 => rng.char(..),
            _ => rng.char(' '..='~'),
        }
    }
}

impl Random for String {
    fn random(rng: &mut Rng) -> Self {
        let len = match rng.u8(..32) {
            0 => rng.usize(..300),
            1..8 => 0,
            _ => rng.usize(..10),
        };
        // Most texts have no odd character at all, and are read and written in another way.
        if rng.bool() {
            (0..len).map(|_| rng.alphanumeric()).collect()
        } else {
            (0..len).map(|_| char::random(rng)).collect()
        }
    }
}

/// A text that can be the key in a subject: the escaped one is not too long.
pub(crate) fn key(rng: &mut Rng) -> String {
    let text = String::random(rng);
    match escape_key(&text) {
        Ok(_) => text,
        Err(_) => key(rng),
    }
}

impl Random for Box<str> {
    fn random(rng: &mut Rng) -> Self {
        String::random(rng).into()
    }
}

impl Random for Arc<str> {
    fn random(rng: &mut Rng) -> Self {
        String::random(rng).into()
    }
}

impl Random for Cow<'static, str> {
    fn random(rng: &mut Rng) -> Self {
        if rng.bool() {
            Cow::Borrowed("borrowed by the publisher, and owned by the reader")
        } else {
            Cow::Owned(any(rng))
        }
    }
}

impl Random for PathBuf {
    fn random(rng: &mut Rng) -> Self {
        String::random(rng).into()
    }
}

impl Random for CString {
    fn random(rng: &mut Rng) -> Self {
        let bytes: Vec<_> = (0..rng.usize(..8)).map(|_| rng.u8(1..)).collect();
        CString::new(bytes).expect("no byte is zero")
    }
}

//! Finds the end of a JSON value by scanning, without parsing it.

/// Where the JSON value ends with which `json` begins; `None` if it begins with none,
/// with one that is cut off, or one with a value inside more than 128 others.
///
/// The value is well-formed then, as far as that is a matter of bytes: whether they
/// are UTF-8 is not asked, nor whether an escaped surrogate has its other half.
pub(crate) fn value_end(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut open = Open::default();
    loop {
        at = blanks_end(json, at);
        at = match json.get(at)? {
            b'{' => match blanks_end(json, at + 1) {
                inner if json.get(inner) == Some(&b'}') => inner + 1,
                inner => {
                    open.push(true)?;
                    at = name_end(json, inner)?;
                    continue;
                }
            },
            b'[' => match blanks_end(json, at + 1) {
                inner if json.get(inner) == Some(&b']') => inner + 1,
                inner => {
                    open.push(false)?;
                    at = inner;
                    continue;
                }
            },
            b'"' => string_end(json, at + 1)?,
            b't' => word_end(json, at, b"true")?,
            b'f' => word_end(json, at, b"false")?,
            b'n' => word_end(json, at, b"null")?,
            _ => number_end(json, at)?,
        };
        // Behind a value: the next one, or the end of what it stands in.
        loop {
            let Some(in_object) = open.innermost() else {
                return Some(at);
            };
            at = blanks_end(json, at);
            match (json.get(at)?, in_object) {
                (b',', true) => {
                    at = name_end(json, blanks_end(json, at + 1))?;
                    break;
                }
                (b',', false) => {
                    at += 1;
                    break;
                }
                (b'}', true) | (b']', false) => {
                    open.pop();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// The objects and arrays that are open, a bit for each: set for an object.
#[derive(Default)]
struct Open {
    objects: u128,
    depth: u32,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Option<()> {
        if self.depth == u128::BITS {
            return None;
        }
        self.objects = self.objects << 1 | u128::from(is_object);
        self.depth += 1;
        Some(())
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    /// Whether the innermost is an object; `None` if nothing is open.
    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }
}

fn blanks_end(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = json.get(at) {
        at += 1;
    }
    at
}

/// Behind a member's name and its colon.
fn name_end(json: &[u8], at: usize) -> Option<usize> {
    if json.get(at)? != &b'"' {
        return None;
    }
    let colon = blanks_end(json, string_end(json, at + 1)?);
    (json.get(colon)? == &b':').then_some(colon + 1)
}

/// Behind the closing quote of a string whose opening one stands before `at`.
fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += plain_len(json.get(at..)?);
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match json.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' => {
                    let digits = json.get(at + 2..at + 6)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at += 6;
                }
                _ => return None,
            },
            // A control character.
            _ => return None,
        }
    }
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// Which of eight bytes are a quote, a backslash or a control character: the high bit of each is
/// set. Above the first that is, bits may be set for others too (the subtractions borrow).
#[inline]
fn special(eight: u64) -> u64 {
    let is = |byte: u8| (eight ^ (ONES * u64::from(byte))).wrapping_sub(ONES);
    let control = eight.wrapping_sub(ONES * 0x20);
    (control | is(b'"') | is(b'\\')) & !eight & HIGH
}

/// How many bytes come before the first that is a quote, a backslash or a control
/// character.
pub(crate) fn plain_len(text: &[u8]) -> usize {
    let mut chunks = text.chunks_exact(8);
    let mut len = 0;
    for chunk in &mut chunks {
        let Ok(eight) = chunk.try_into().map(u64::from_le_bytes) else {
            break;
        };
        let found = special(eight);
        if found != 0 {
            return len + found.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let rest = chunks.remainder();
    len + rest.iter().position(special).unwrap_or(rest.len())
}

/// Whether no byte is a quote, a backslash or a control character.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    let eights = eights.iter().map(|eight| u64::from_le_bytes(*eight));
    let found = eights.fold(0, |found, eight| found | special(eight));
    let last = if let Some(last) = text.last_chunk::<8>() {
        // With some that were looked at before.
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else {
        // At most three, above blanks.
        let blanks = ONES * u64::from(b' ');
        rest.iter()
            .fold(blanks, |bytes, byte| bytes << 8 | u64::from(*byte))
    };
    found | special(last) == 0
}

fn word_end(json: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    json[at..].starts_with(word).then_some(at + word.len())
}

fn number_end(json: &[u8], at: usize) -> Option<usize> {
    let digits_end = |mut at: usize| {
        let from = at;
        while json.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > from).then_some(at)
    };
    let mut at = at + usize::from(json.get(at) == Some(&b'-'));
    at = match json.get(at)? {
        b'0' if json.get(at + 1).is_some_and(u8::is_ascii_digit) => return None,
        _ => digits_end(at)?,
    };
    if json.get(at) == Some(&b'.') {
        at = digits_end(at + 1)?;
    }
    if let Some(b'e' | b'E') = json.get(at) {
        let signed = matches!(json.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(at + 1 + usize::from(signed))?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    /// What `serde_json` says.
    fn expected(json: &str) -> Option<usize> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let value = <&RawValue>::deserialize(&mut reader).ok()?;
        Some(value.get().as_ptr().addr() - json.as_ptr().addr() + value.get().len())
    }

    fn ours(json: &str) -> Option<usize> {
        value_end(json.as_bytes())
    }

    /// Each byte in each place of texts of each length, beside bytes of each kind.
    #[test]
    fn plain_is_what_has_none_of_the_special_bytes() {
        for len in 0..20 {
            for fill in [b' ', b'a', 0x7f, 0x80, 0xff, b'!', b'#', b'[', b']'] {
                assert!(is_plain(&vec![fill; len]));
                for at in 0..len {
                    for byte in 0..=255_u8 {
                        let mut text = vec![fill; len];
                        text[at] = byte;
                        let expected = !(byte < 0x20 || byte == b'"' || byte == b'\\');
                        assert_eq!(is_plain(&text), expected, "{text:?}");
                        let plain = if expected { len } else { at };
                        assert_eq!(plain_len(&text), plain, "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn single_values_end_where_they_end() {
        for json in [
            "",
            " ",
            "0",
            "-",
            "-0",
            "-0.",
            "00",
            "01",
            "1.",
            "1.5e",
            "1.5e+",
            "1e400",
            "1E-7,",
            ".5",
            "+1",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "false,",
            "\"\"",
            "\"a",
            "\"\\\"\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12fg\"",
            "\"\\ud800\"",
            "\"\t\"",
            "\"é\u{7f}\u{2028}\"",
            "{",
            "{}",
            "{ }",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\" : 1 , \"b\":[ ]}x",
            "{a:1}",
            "[",
            "[]",
            "[ ]",
            "[,]",
            "[1,]",
            "[1 2]",
            "[1,[2,{\"a\":[]}]]",
            "[}",
            "{]",
            "[1}",
            "{\"a\":1]",
            "NaN",
            "'a'",
            "  [1]  ",
            "\u{feff}1",
        ] {
            assert_eq!(ours(json), expected(json), "{json:?}");
        }
    }

    #[test]
    fn a_string_may_end_at_any_place_of_eight() {
        for len in 0..40 {
            for end in ["\"", "\\n\"", "\u{1}\"", ""] {
                for filling in [
                    "a",
                    "\u{7f}",
                    "\u{80}",
                    "\u{10ffff}",
                    " ",
                    "!",
                    "#",
                    "[",
                    "]",
                ] {
                    let json = format!("\"{}{end}", filling.repeat(len));
                    assert_eq!(ours(&json), expected(&json), "{json:?}");
                }
            }
        }
    }

    #[test]
    fn too_many_levels_are_not_looked_through() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(ours(&nested(129)), Some(258));
        assert_eq!(ours(&nested(130)), None);
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
            "[ -~]{0,30}".prop_map(|text| serde_json::json!(text).to_string()),
            Just("null".to_owned()),
            Just("true".to_owned()),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let blank = prop_oneof![Just(""), Just(" "), Just("\n\t")];
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..6), blank.clone()).prop_map(
                    |(items, blank)| format!(
                        "[{blank}{}{blank}]",
                        items.join(&format!("{blank},"))
                    )
                ),
                (prop::collection::vec(("[a-z\"é]{0,9}", inner), 0..6), blank).prop_map(
                    |(members, blank)| {
                        let members = members.iter();
                        let members = members.map(|(name, value)| {
                            format!("{}{blank}:{blank}{value}", serde_json::json!(name))
                        });
                        format!("{{{}{blank}}}", members.collect::<Vec<_>>().join(","))
                    }
                ),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_ends_where_serde_json_says(json in json(), rest in "[,}\\]a0\" ]{0,3}") {
            let json = json + &rest;
            prop_assert_eq!(ours(&json), expected(&json));
        }

        #[test]
        fn what_is_broken_is_found_broken(
            json in json(),
            at in any::<prop::sample::Index>(),
            by in prop_oneof![Just(""), Just("\""), Just("\\"), Just("{"), Just("}"), Just("]"), Just(","), Just(":"), Just("0"), Just("-"), Just("\u{1}"), Just("é")],
            instead in any::<bool>(),
        ) {
            let starts: Vec<usize> = json.char_indices().map(|(at, _)| at).collect();
            let at = *at.get(&starts);
            let len = json[at..].chars().next().map_or(0, char::len_utf8);
            let broken = format!("{}{by}{}", &json[..at], &json[at + usize::from(instead) * len..]);
            prop_assert_eq!(ours(&broken), expected(&broken), "{}", broken);
        }
    }
}

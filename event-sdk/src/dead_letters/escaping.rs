//! Percent-encoding of texts in the headers of dead letters.

use std::fmt::Write as _;

use event_sdk_core::text::Text;

/// Writes a text as a header value: `%`, `;`, and every byte outside of printable ASCII become `%`
/// and two hexadecimal digits, and so does a blank at an end. At most `most` bytes are written; a
/// text that is longer ends in `...`.
pub(super) fn escaped(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut piece = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        piece.clear();
        let at_end = at == 0 || at == last;
        if (c.is_ascii_graphic() && c != '%' && c != ';') || (c == ' ' && !at_end) {
            piece.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a `String` does not fail.
                let _ = write!(piece, "%{byte:02X}");
            }
        }
        if out.len() + piece.len() > most {
            while out.ends_with(' ') {
                out.pop();
            }
            out.push_str("...");
            return out;
        }
        out.push_str(&piece);
    }
    out
}

/// Reads a text that was written by [`escaped`]. A `%` without two digits stands for itself, and
/// bytes that are not UTF-8 are replaced.
pub(super) fn unescaped(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escape = (*first == b'%').then(|| after.get(..2).and_then(byte));
        match escape.flatten() {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a text of a header.
pub(super) fn unescaped_text(text: &str) -> Text {
    unescaped(text).into()
}

fn byte(digits: &[u8]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let value = digit(digits[0])? * 16 + digit(digits[1])?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{escaped, unescaped};
    use event_sdk_core::headers::Headers;

    proptest! {
        #[test]
        fn a_text_comes_back(text in "\\PC*|.*") {
            let written = escaped(&text, 4000);
            let mut headers = Headers::new();
            prop_assert!(headers.insert("Dead-Letter-Note", written.clone()).is_ok(), "{written}");
            if !written.ends_with("...") {
                prop_assert_eq!(unescaped(&written), text);
            }
        }

        #[test]
        fn a_foreign_value_is_read(text in ".*") {
            let _ = unescaped(&text);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let written = escaped(&"ä".repeat(1000), 100);
        assert!(written.len() <= 103, "{}", written.len());
        assert_eq!(unescaped(&written), "ä".repeat(16) + "...");
        assert_eq!(escaped(&" ".repeat(10), 7), "%20...");
    }
}

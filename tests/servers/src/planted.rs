//! `forms` and `find`: the forms in which a planted secret or planted personal data could leak, and the
//! search for them in what a program writes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms of a planted text. A part from its middle: as it is, as decimal and hexadecimal bytes, escaped
/// byte by byte or as in URLs and subjects. The whole text: in base64, wherever it begins in what was encoded.
#[must_use]
pub fn forms(planted: &str) -> Vec<String> {
    let middle = planted.len() / 2;
    let start = planted.floor_char_boundary(middle.saturating_sub(5));
    let end = planted.ceil_char_boundary((middle + 5).min(planted.len()));
    let part = &planted[start..end];
    let join = |separator: &str, write: &dyn Fn(u8) -> String| {
        let bytes: Vec<_> = part.bytes().map(write).collect();
        bytes.join(separator)
    };
    let mut forms = vec![
        part.to_owned(),
        escaped(part, '%', b"-._~"),
        escaped(part, '=', b"-_"),
        part.replace(' ', "+").replace('@', "%40"),
        join(", ", &|byte| byte.to_string()),
        join("", &|byte| format!("{byte:02x}")),
        join("", &|byte| format!("{byte:02X}")),
        join("", &|byte| format!("%{byte:02X}")),
        join("", &|byte| format!("%{byte:02x}")),
    ];
    for before in 0..3 {
        forms.extend(base64(planted, before));
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// What of a text shows a planted text in one of its [`forms`]: the form, and the text around it.
#[must_use]
pub fn find(text: &str, planted: &str) -> Option<String> {
    // Debug with `#` writes each byte in a line of its own, at any indentation.
    let words: Vec<&str> = text.split_whitespace().collect();
    let in_one_line = words.join(" ");
    let texts = [text, &in_one_line];
    let forms = forms(planted);
    let mut all = texts
        .iter()
        .flat_map(|text| forms.iter().map(move |form| (text, form)));
    all.find_map(|(text, form)| {
        let at = text.find(form)?;
        let start = text.floor_char_boundary(at.saturating_sub(300));
        let end = text.ceil_char_boundary((at + 300).min(text.len()));
        Some(format!("{form:?} is in …{}…", &text[start..end]))
    })
}

/// Escapes what is neither a letter nor a digit nor kept.
fn escaped(text: &str, sign: char, kept: &[u8]) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "{sign}{byte:02X}");
        }
    }
    escaped
}

/// The characters that only depend on the planted text, if this many bytes are encoded before it.
fn base64(planted: &str, before: usize) -> [String; 2] {
    let bytes = [&[0; 2][..before], planted.as_bytes()].concat();
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    let part = |text: String| text[first..end].to_owned();
    [
        part(STANDARD_NO_PAD.encode(&bytes)),
        part(URL_SAFE_NO_PAD.encode(&bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_found_and_others_are_not() {
        let planted = "ada lovelace@example.org";
        let mut hex = String::new();
        for byte in planted.bytes() {
            let _ = write!(hex, "{byte:02x}");
        }
        for shown in [
            format!("user={planted}"),
            format!("{:?}", planted.as_bytes()),
            format!("{:#?}", planted.as_bytes()),
            hex,
            "?user=ada%20lovelace%40example.org".to_owned(),
            "?user=ada+lovelace%40example.org".to_owned(),
            "people.ada=20lovelace=40example=2Eorg".to_owned(),
            STANDARD_NO_PAD.encode(format!("{planted}:x")),
            STANDARD_NO_PAD.encode(format!("a{planted}:x")),
            STANDARD_NO_PAD.encode(format!("ab{planted}")),
            URL_SAFE_NO_PAD.encode(format!("abc{planted}")),
        ] {
            assert!(find(&shown, planted).is_some(), "{shown}");
        }
        assert_eq!(find("nothing of example.org", planted), None);
        assert_eq!(find("é…", planted), None);
    }
}

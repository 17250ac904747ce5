//! Escaped keys: reversible, valid as a token, bounded in length.

use std::fmt;

use event_sdk_subject::{
    KeyError, MAX_KEY_LEN, check_subject, escape_key, escape_key_into, unescape_key,
};
use proptest::prelude::*;

/// The rule of the documentation, letter by letter.
fn escape_slowly(key: &str) -> String {
    if key.is_empty() {
        return "=".to_owned();
    }
    let mut token = String::new();
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => token.push(char::from(byte)),
            _ => token.extend(format!("={byte:02X}").chars()),
        }
    }
    token
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,40}",
        "[ .*>=A-F0-9\u{0}\u{7f}äß漢🦀-]{0,12}",
        ".{80,300}",
    ]
}

proptest! {
    #[test]
    fn a_key_comes_back(key in key()) {
        let expected = escape_slowly(&key);
        let escaped = escape_key(&key);
        if expected.len() > MAX_KEY_LEN {
            prop_assert_eq!(escaped, Err(KeyError::TooLong));
            prop_assert_eq!(unescape_key(&expected), Err(KeyError::TooLong));
            return Ok(());
        }
        let token = escaped.unwrap();
        prop_assert_eq!(&token, &expected);
        prop_assert_eq!(unescape_key(&token).unwrap(), key);
    }

    #[test]
    fn two_keys_have_two_tokens(one in key(), other in key()) {
        if let (Ok(a), Ok(b)) = (escape_key(&one), escape_key(&other)) {
            prop_assert_eq!(one == other, a == b);
        }
    }

    #[test]
    fn a_token_is_one_legal_token(key in key()) {
        if let Ok(token) = escape_key(&key) {
            prop_assert!((1..=MAX_KEY_LEN).contains(&token.len()));
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"_-=".contains(&b);
            prop_assert!(token.bytes().all(legal), "{}", token);
            let subject = format!("orders.order.placed.{token}");
            prop_assert_eq!(check_subject(&subject), Ok(()));
        }
    }

    #[test]
    fn a_token_that_is_read_is_the_one_that_is_written(token in "[A-Za-z0-9_=-]{0,20}|.{0,20}") {
        if let Ok(key) = unescape_key(&token) {
            prop_assert_eq!(escape_key(&key), Ok(token));
        }
    }

    #[test]
    fn what_was_there_stays(before in ".{0,300}", key in key()) {
        let mut out = before.clone();
        match (escape_key_into(&key, &mut out), escape_key(&key)) {
            (Ok(()), Ok(token)) => prop_assert_eq!(out, before + &token),
            (Err(error), Err(same)) => {
                prop_assert_eq!(error, same);
                prop_assert!(out.starts_with(&before));
                prop_assert!(out.len() <= before.len() + MAX_KEY_LEN + 3);
            }
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
    }
}

#[test]
fn examples() {
    for (key, token) in [
        ("", "="),
        ("=", "=3D"),
        ("B6-725_x", "B6-725_x"),
        ("a.b c", "a=2Eb=20c"),
        ("*", "=2A"),
        (">", "=3E"),
        ("ö", "=C3=B6"),
        ("\u{0}\n", "=00=0A"),
    ] {
        assert_eq!(escape_key(&key).as_deref(), Ok(token));
        assert_eq!(unescape_key(token).as_deref(), Ok(key));
    }
}

#[test]
fn tokens_that_are_no_keys() {
    for (token, error) in [
        ("", KeyError::NotEscaped),
        ("a.b", KeyError::NotEscaped),
        ("a b", KeyError::NotEscaped),
        ("*", KeyError::NotEscaped),
        ("ö", KeyError::NotEscaped),
        ("==", KeyError::BadEscape),
        ("a=", KeyError::BadEscape),
        ("=2", KeyError::BadEscape),
        ("=2e", KeyError::BadEscape),
        ("=GG", KeyError::BadEscape),
        ("=41", KeyError::BadEscape), // `A` needs no escape: it would be a second token
        ("=2D", KeyError::BadEscape),
        ("=C3", KeyError::NotUtf8),
        ("=FF=FE", KeyError::NotUtf8),
    ] {
        assert_eq!(unescape_key(token), Err(error), "{token}");
    }
}

#[test]
fn the_limit_is_the_last_length_that_fits() {
    assert_eq!(
        escape_key(&"k".repeat(MAX_KEY_LEN)).map(|t| t.len()),
        Ok(255)
    );
    assert_eq!(
        escape_key(&"k".repeat(MAX_KEY_LEN + 1)),
        Err(KeyError::TooLong)
    );
    assert_eq!(
        escape_key(&".".repeat(MAX_KEY_LEN / 3)).map(|t| t.len()),
        Ok(255)
    );
    assert_eq!(
        escape_key(&".".repeat(MAX_KEY_LEN / 3 + 1)),
        Err(KeyError::TooLong)
    );
}

/// Writes its parts one by one, whatever the formatter says of each.
struct Stubborn(usize);

impl fmt::Display for Stubborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.0 {
            let _ = f.write_str("part ");
        }
        Ok(())
    }
}

/// Fails in the middle.
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

#[test]
fn a_display_that_misbehaves_is_an_error() {
    assert_eq!(escape_key(&Broken), Err(KeyError::Display));
    assert_eq!(escape_key(&Stubborn(2)).as_deref(), Ok("part=20part=20"));
    let mut out = String::new();
    assert_eq!(
        escape_key_into(&Stubborn(1_000_000), &mut out),
        Err(KeyError::TooLong)
    );
    assert!(out.len() <= MAX_KEY_LEN + 3, "{} bytes", out.len());
}

//! Escapes an event's key into one subject token, and unescapes it.
//!
//! Letters, digits, `_` and `-` stand for themselves; any other byte is written as `=` and two
//! upper-case hexadecimal digits; the empty key is `=` alone. So each text has exactly one token,
//! each such token stands for exactly one text, and a plain identifier is its own token.

use core::fmt::{self, Write};

/// The longest escaped key, in bytes.
pub const MAX_KEY_LEN: usize = 255;

/// Why a key cannot be escaped into a token, or a token cannot be unescaped into a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The escaped key is longer than [`MAX_KEY_LEN`] bytes.
    TooLong,
    /// The key's own `Display` returned an error.
    Display,
    /// The token has a character that an escaped key never has.
    NotEscaped,
    /// `=` is not followed by two upper-case hexadecimal digits, or the digits stand for a
    /// character that needs no escape.
    BadEscape,
    /// The unescaped bytes are not UTF-8.
    NotUtf8,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => {
                "the key is longer than 255 bytes once escaped; use a shorter key, such as an id or a hash"
            }
            Self::Display => "the key's Display implementation answered an error",
            Self::NotEscaped => {
                "the token has a character that an escaped key never has; only letters, digits, `_`, `-` and `=XX` are written"
            }
            Self::BadEscape => {
                "`=` must be followed by two upper-case hexadecimal digits of a byte that needs escaping"
            }
            Self::NotUtf8 => "the unescaped key is not UTF-8",
        })
    }
}

impl core::error::Error for KeyError {}

/// Escapes `key` into a subject token.
///
/// ```
/// use event_sdk_subject::{escape_key, unescape_key};
///
/// assert_eq!(escape_key(&"B6-725").unwrap(), "B6-725");
/// assert_eq!(escape_key(&"a.b c").unwrap(), "a=2Eb=20c");
/// assert_eq!(escape_key(&"").unwrap(), "=");
/// assert_eq!(unescape_key("a=2Eb=20c").unwrap(), "a.b c");
/// ```
///
/// # Errors
///
/// [`KeyError::TooLong`], or [`KeyError::Display`] if `key` cannot be shown.
pub fn escape_key(key: &dyn fmt::Display) -> Result<String, KeyError> {
    let mut token = String::new();
    escape_key_into(key, &mut token)?;
    Ok(token)
}

/// Escapes `key`, and appends the token to the text in `out`.
///
/// On an error `out` may end in a part of the token.
///
/// # Errors
///
/// The same as for [`escape_key`].
pub fn escape_key_into(key: &dyn fmt::Display, out: &mut String) -> Result<(), KeyError> {
    let start = out.len();
    let mut escaper = Escaper {
        limit: start + MAX_KEY_LEN,
        full: false,
        out,
    };
    let shown = write!(escaper, "{key}");
    if escaper.full {
        return Err(KeyError::TooLong);
    }
    shown.map_err(|_| KeyError::Display)?;
    if out.len() == start {
        out.push('=');
    }
    Ok(())
}

/// The key that `token` stands for.
///
/// # Errors
///
/// [`KeyError`] says why [`escape_key`] cannot have written the token.
pub fn unescape_key(token: &str) -> Result<String, KeyError> {
    if token.len() > MAX_KEY_LEN {
        return Err(KeyError::TooLong);
    }
    if token == "=" {
        return Ok(String::new());
    }
    if token.is_empty() {
        return Err(KeyError::NotEscaped);
    }
    let mut bytes = token.bytes();
    let mut key = Vec::with_capacity(token.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'=' => {
                let (high, low) = (bytes.next().and_then(digit), bytes.next().and_then(digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(KeyError::BadEscape);
                };
                let byte = high << 4 | low;
                if is_plain(byte) {
                    return Err(KeyError::BadEscape);
                }
                key.push(byte);
            }
            plain if is_plain(plain) => key.push(plain),
            _ => return Err(KeyError::NotEscaped),
        }
    }
    String::from_utf8(key).map_err(|_| KeyError::NotUtf8)
}

/// Writes what it is given, escaped, and stops at the limit.
struct Escaper<'a> {
    out: &'a mut String,
    limit: usize,
    full: bool,
}

impl Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const HEX: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
        ];
        for byte in text.bytes() {
            // Also for a Display that goes on after an error.
            if self.full {
                return Err(fmt::Error);
            }
            if is_plain(byte) {
                self.out.push(char::from(byte));
            } else {
                self.out.push('=');
                self.out.push(HEX[usize::from(byte >> 4)]);
                self.out.push(HEX[usize::from(byte & 15)]);
            }
            self.full = self.out.len() > self.limit;
        }
        if self.full { Err(fmt::Error) } else { Ok(()) }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

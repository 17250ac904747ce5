//! `Shown`: escapes and shortens untrusted text in error messages and logs.

use std::fmt::{self, Write as _};

use crate::subject::grammar::is_unseen;

/// A text from outside, such as a server's description or a name, as a message shows it. Invisible
/// characters are escaped, so that they can neither move the cursor nor reverse the line. A text
/// with more than this number of characters is cut.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str, pub usize);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, most) = *self;
        let mut chars = text.chars();
        for c in chars.by_ref().take(most) {
            if c != ' ' && is_unseen(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.next().is_some() {
            f.write_char('…')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        for (text, shown) in [
            ("plain, größe 東京 😀", "plain, größe 東京 😀"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("two\r\nlines\t", "two\\r\\nlines\\t"),
            ("a\u{9b}b\u{202e}c\u{a0}", "a\\u{9b}b\\u{202e}c\\u{a0}"),
        ] {
            assert_eq!(Shown(text, 100).to_string(), shown);
        }
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        assert_eq!(Shown("ääää", 4).to_string(), "ääää");
        assert_eq!(Shown("äääää", 4).to_string(), "ääää…");
        assert_eq!(Shown("", 0).to_string(), "");
    }
}

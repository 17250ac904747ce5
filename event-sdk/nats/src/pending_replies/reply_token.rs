//! `ReplyToken`: identifies a pending reply, encoded as a token of its reply subject.

/// Names one wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplyToken {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// The digits in which tokens are written.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl ReplyToken {
    /// Writes it as few characters: slot, dash, generation.
    pub(crate) fn write(self, out: &mut impl Extend<u8>) {
        digits(self.index, out);
        out.extend([b'-']);
        digits(self.generation, out);
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (index, generation) = text.split_once('-')?;
        Some(Self {
            index: number(index)?,
            generation: number(generation)?,
        })
    }
}

fn digits(mut number: u32, out: &mut impl Extend<u8>) {
    let mut digits = [0; 6];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = DIGITS[(number % 62) as usize];
        number /= 62;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[start..].iter().copied());
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u32, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(token: ReplyToken) -> String {
        let mut bytes = Vec::new();
        token.write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn tokens_are_read_as_they_are_written() {
        for (index, generation) in [(0, 0), (61, 62), (1023, 7), (u32::MAX, u32::MAX)] {
            let token = ReplyToken { index, generation };
            let text = written(token);
            assert_eq!(ReplyToken::parse(&text), Some(token), "{text}");
        }
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "1-.",
            "zzzzzzz-0",
            "4gfFC4-0",
        ] {
            assert_eq!(ReplyToken::parse(text), None, "{text}");
        }
    }
}

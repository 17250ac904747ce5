//! Wildcard matching: whether a pattern matches a subject, covers or overlaps a pattern, and
//! their intersection.
//!
//! The rules are the NATS server's: tokens are compared byte by byte, `*`
//! stands for exactly one token and `>` for one token or more
//! (`SubjectsCollide` and `matchLiteral` in nats-server's `server/sublist.go`).
//! All texts must be well formed (see [`check_pattern`](crate::check_pattern)). So `*` and `>` are
//! always whole tokens, and two texts that are equal up to a byte are in the same token there. The
//! loops compare bytes and do little else: they also run in the compiler's interpreter, for each
//! event of a set.

/// Whether `pattern` matches the literal `subject`.
#[must_use]
pub const fn matches(pattern: &str, subject: &str) -> bool {
    covers(pattern, subject)
}

/// Whether every subject that `inner` matches is matched by `outer` too.
#[must_use]
pub const fn covers(outer: &str, inner: &str) -> bool {
    let (outer, inner) = (outer.as_bytes(), inner.as_bytes());
    let (mut o, mut i) = (0, 0);
    while o < outer.len() && i < inner.len() {
        let (a, b) = (outer[o], inner[i]);
        if a == b {
            i += 1;
        } else if a == b'>' {
            return true;
        } else if a == b'*' && b != b'>' {
            i = token_end(inner, i);
        } else {
            return false;
        }
        o += 1;
    }
    o == outer.len() && i == inner.len()
}

/// Whether some subject is matched by both patterns.
#[must_use]
pub const fn overlaps(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (mut a, mut b) = (0, 0);
    while a < one.len() && b < other.len() {
        let (x, y) = (one[a], other[b]);
        if x == b'>' || y == b'>' {
            return true;
        }
        if x == b'*' || y == b'*' {
            (a, b) = (token_end(one, a), token_end(other, b));
        } else if x == y {
            (a, b) = (a + 1, b + 1);
        } else {
            return false;
        }
    }
    a == one.len() && b == other.len()
}

/// The pattern that matches exactly the subjects that both patterns match; `None` if there are
/// none.
///
/// ```
/// use event_sdk_subject::meet;
///
/// assert_eq!(meet("orders.*.placed", "orders.order.>").as_deref(), Some("orders.order.placed"));
/// assert_eq!(meet("orders.>", "billing.>"), None);
/// ```
#[must_use]
pub fn meet(one: &str, other: &str) -> Option<String> {
    let mut tokens = Vec::new();
    let (mut a, mut b) = (one.split('.').peekable(), other.split('.').peekable());
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (None, None) => return Some(tokens.join(".")),
            (Some(">"), Some(_)) => {
                tokens.extend(b);
                return Some(tokens.join("."));
            }
            (Some(_), Some(">")) => {
                tokens.extend(a);
                return Some(tokens.join("."));
            }
            (Some("*"), Some(token)) | (Some(token), Some("*")) => tokens.push(token),
            (Some(x), Some(y)) if x == y => tokens.push(x),
            _ => return None,
        }
        a.next();
        b.next();
    }
}

/// How many tokens a subject or pattern has.
#[must_use]
pub const fn token_count(subject: &str) -> usize {
    let bytes = subject.as_bytes();
    let (mut at, mut dots) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'.' {
            dots += 1;
        }
        at += 1;
    }
    if bytes.is_empty() { 0 } else { dots + 1 }
}

/// Where the token around `from` ends: at a dot, or at the end.
const fn token_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != b'.' {
        at += 1;
    }
    at
}

//! Coverage: whether several filters together match everything that a pattern matches.

use crate::subject::Pattern;

/// Whether every subject that `wanted` matches is matched by one of `filters`.
///
/// Tokens are any text, so `*` is matched by no finite number of literals: one filter has
/// to cover a pattern of a fixed number of tokens alone. Behind `>` there may be any
/// number of tokens, and another filter may match each number (`a.*` and `a.*.>` are all of `a.>`).
pub(super) fn covered(wanted: &Pattern, filters: &[Pattern]) -> bool {
    let by_one = |wanted: &Pattern| filters.iter().any(|filter| filter.covers(wanted));
    if by_one(wanted) {
        return true;
    }
    let text = wanted.as_str();
    let Some(before) = text.strip_suffix('>') else {
        return false;
    };
    let tokens = |pattern: &Pattern| pattern.as_str().split('.').count();
    // Longer subjects than the longest filter are all alike.
    let longest = filters.iter().map(tokens).max().unwrap_or_default() + 1;
    (tokens(wanted)..=longest.max(tokens(wanted))).all(|length| {
        let behind = vec!["*"; length + 1 - tokens(wanted)].join(".");
        Pattern::parse(format!("{before}{behind}")).is_ok_and(|pattern| by_one(&pattern))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_covered(wanted: &str, filters: &[&str]) -> bool {
        let parse = |text: &str| Pattern::parse(text.to_owned()).unwrap();
        let filters: Vec<_> = filters.iter().copied().map(parse).collect();
        covered(&parse(wanted), &filters)
    }

    #[test]
    fn filters_cover_a_pattern_alone_or_together() {
        for (wanted, filters) in [
            ("a.b", &["a.>"] as &[_]),
            ("a.b", &["c.>", "a.*"]),
            ("a.*", &["a.*"]),
            ("a.>", &["a.*", "a.*.>"]),
            ("a.>", &["a.*", "a.*.*", "a.*.*.>"]),
            (">", &["*", "*.>"]),
            ("a.*.>", &["a.>"]),
        ] {
            assert!(is_covered(wanted, filters), "{wanted} by {filters:?}");
        }
        for (wanted, filters) in [
            ("a.b", &["a.c"] as &[_]),
            ("a.*", &["a.b", "a.c"]),
            ("a.>", &["a.*"]),
            ("a.>", &["a.*", "a.*.*"]),
            ("a.>", &["a.*.>"]),
            ("a.>", &["a.*", "a.b.>"]),
            ("a.>", &[]),
            ("a", &["a.>"]),
        ] {
            assert!(!is_covered(wanted, filters), "{wanted} by {filters:?}");
        }
    }
}

//! `Keys`: looks up an attribute key among the allowed ones, and suggests the nearest for an
//! unknown key.

use proc_macro2::Ident;

/// The keys of an attribute in one place.
pub(crate) struct Keys {
    /// Where the attribute stands, as the end of a sentence.
    pub(crate) place: &'static str,
    /// The keys.
    pub(crate) names: &'static [&'static str],
    /// An item that shows how they are written.
    pub(crate) example: &'static str,
    /// Keys that belong elsewhere, and what to do about it.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

impl Keys {
    /// The key that is meant by `name`, if one is near.
    pub(crate) fn nearest(&self, name: &str) -> Option<&'static str> {
        let part_of = |a: &str, b: &str| b.len() > 3 && a.contains(b);
        let close = |key: &&&str| {
            part_of(name, key)
                || part_of(key, name)
                || distance(name, key) <= (key.len().max(name.len()) / 3).clamp(1, 2)
        };
        self.names
            .iter()
            .filter(close)
            .min_by_key(|key| distance(name, key))
            .copied()
    }

    /// The complaint about a key that does not exist.
    pub(crate) fn unknown(&self, key: &Ident, name: &str) -> syn::Error {
        let list = self.list();
        let advice = match self.elsewhere.iter().find(|(other, _)| *other == name) {
            Some((_, advice)) => format!("{advice} (here: {list})"),
            None => match self.nearest(name) {
                Some(near) => format!("did you mean `{near}`? (keys here: {list})"),
                None => format!("the keys are {list}"),
            },
        };
        syn::Error::new_spanned(key, format!("`{name}` is no key {}; {advice}", self.place))
    }

    /// The keys for a sentence.
    pub(crate) fn list(&self) -> String {
        let quoted: Vec<String> = self.names.iter().map(|key| format!("`{key}`")).collect();
        quoted.join(", ")
    }
}

/// How many characters are to be changed, added, removed or swapped with their
/// neighbour to make one of the other (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    let mut above_that: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(above_that[j - 2] + 1);
            }
            row.push(least);
        }
        above_that = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Keys, distance};

    const KEYS: Keys = Keys {
        place: "of an event",
        names: &["domain", "entity", "type", "upcast_from", "crate"],
        example: "",
        elsewhere: &[],
    };

    #[test]
    fn counts_changes() {
        assert_eq!(distance("domain", "domain"), 0);
        assert_eq!(distance("domian", "domain"), 1);
        assert_eq!(distance("", "type"), 4);
        assert_eq!(distance("typ", "type"), 1);
        assert_eq!(distance("versoin", "version"), 1);
        assert_eq!(distance("abc", "xyz"), 3);
    }

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(KEYS.nearest("domian"), Some("domain"));
        assert_eq!(KEYS.nearest("event_type"), Some("type"));
        assert_eq!(KEYS.nearest("upcast"), Some("upcast_from"));
        assert_eq!(KEYS.nearest("crat"), Some("crate"));
        assert_eq!(KEYS.nearest("topic"), None);
    }
}

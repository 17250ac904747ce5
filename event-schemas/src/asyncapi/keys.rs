//! AsyncAPI component names: turns any text into letters, digits, `.`, `-` and `_`.

use std::collections::BTreeSet;

/// Gives out names, none of them twice.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeSet<String>);

impl Keys {
    /// A name that is like `wanted`, the same for the same calls.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let plain: String = wanted
            .chars()
            .map(|c| if fit(c) { c } else { '_' })
            .collect();
        let mut key = plain.clone();
        let mut number = 2_u32;
        while !self.0.insert(key.clone()) {
            key = format!("{plain}-{number}");
            number += 1;
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_fit_and_given_once() {
        let mut keys = Keys::default();
        assert_eq!(
            keys.give("orders.order-line.placed"),
            "orders.order-line.placed"
        );
        assert_eq!(keys.give("vendor.Über$"), "vendor._ber_");
        assert_eq!(keys.give("vendor.über$"), "vendor._ber_-2");
        assert_eq!(keys.give("vendor._ber_-2"), "vendor._ber_-2-2");
    }
}

//! Lowers the array keywords (`items`, `prefixItems`, `contains`, `uniqueItems`).

use super::Lowering;
use crate::expr::{Atom, Lit, Side};
use crate::schema::Node;

impl Lowering<'_> {
    pub(super) fn arrays(&mut self, side: Side, node: &Node, depth: usize, parts: &mut Vec<Lit>) {
        parts.extend(
            node.min_items
                .map(|min| self.exprs.atom(Atom::MinItems(min))),
        );
        parts.extend(
            node.max_items
                .map(|max| self.exprs.atom(Atom::MaxItems(max))),
        );
        if node.unique_items {
            parts.push(self.exprs.atom(Atom::Unique));
        }
        for (index, item) in node.prefix_items.iter().enumerate() {
            let item = self.node(side, *item, depth + 1);
            parts.push(self.item_at(index, item));
        }
        if let Some(items) = node.items {
            let items = self.node(side, items, depth + 1);
            parts.push(self.items_from(node.prefix_items.len(), items));
        }
        if let Some(contains) = node.contains {
            let contains = self.node(side, contains, depth + 1);
            let min = node.min_contains.unwrap_or(1);
            if min > 0 {
                parts.push(self.exprs.atom(Atom::CountMin(contains, min)));
            }
            if let Some(max) = node.max_contains {
                parts.push(self.exprs.atom(Atom::CountMax(contains, max)));
            }
        }
    }

    fn item_at(&mut self, index: usize, item: Lit) -> Lit {
        match item {
            Lit::TRUE => Lit::TRUE,
            item => self.exprs.atom(Atom::ItemAt(index, item)),
        }
    }

    pub(super) fn items_from(&mut self, index: usize, items: Lit) -> Lit {
        match items {
            Lit::TRUE => Lit::TRUE,
            items => self.exprs.atom(Atom::ItemsFrom(index, items)),
        }
    }
}

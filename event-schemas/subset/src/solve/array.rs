//! Solves for arrays: length, items, `contains` counts, uniqueness.

use std::rc::Rc;

use serde_json::Value;

use super::{Best, Outcome, Solver};
use crate::expr::{Atom, Expr, Lit};

/// How long an array may get whose items are chosen one by one.
const MAX_CHOSEN: u64 = 64;
/// How long an array of equal items may get.
const MAX_EQUAL: u64 = 5_000;
/// How many choices are made for the items of an array.
const MAX_CHOICES: u32 = 4_000;

/// What is asked of an array.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArrayShape {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    /// What the item at an index satisfies, if there is one.
    pub(crate) at: Vec<(usize, Lit)>,
    /// What all items from an index on satisfy.
    pub(crate) from: Vec<(usize, Lit)>,
    /// There is an item from an index on that satisfies this.
    somewhere: Vec<(usize, Lit)>,
    /// There is an item at an index, and it satisfies this.
    there: Vec<(usize, Lit)>,
    at_least: Vec<(Lit, u64)>,
    at_most: Vec<(Lit, u64)>,
    unique: bool,
    repeated: bool,
    doubt: Option<Rc<str>>,
}

impl ArrayShape {
    /// From which index on all items are asked for the same.
    pub(crate) fn tail(&self) -> usize {
        let at = self
            .at
            .iter()
            .chain(&self.there)
            .map(|(index, _)| index + 1);
        let from = self
            .from
            .iter()
            .chain(&self.somewhere)
            .map(|(index, _)| *index);
        at.chain(from).max().unwrap_or(0)
    }

    /// What every item at an index satisfies.
    pub(crate) fn item(&self, index: usize) -> Vec<Lit> {
        let at = self.at.iter().filter(|(at, _)| *at == index);
        let from = self.from.iter().filter(|(from, _)| *from <= index);
        at.chain(from).map(|(_, lit)| *lit).collect()
    }
}

/// The items of an array while they are chosen.
#[derive(Clone, Debug)]
struct Items {
    lits: Vec<Vec<Lit>>,
    /// Two that must be equal.
    equal: Option<(usize, usize)>,
}

impl Solver<'_> {
    pub(crate) fn array_shape(&self, atoms: &[Lit]) -> ArrayShape {
        let mut shape = ArrayShape::default();
        for lit in atoms {
            let Expr::Atom(atom) = self.lowering.exprs.get(*lit) else {
                continue;
            };
            match (atom, !lit.is_negative()) {
                (Atom::MinItems(min), true) => shape.min = shape.min.max(*min),
                (Atom::MaxItems(max), false) => shape.min = shape.min.max(max.saturating_add(1)),
                (Atom::MaxItems(max), true) => shape.limit(*max),
                (Atom::MinItems(0), false) => (shape.min, shape.max) = (1, Some(0)),
                (Atom::MinItems(min), false) => shape.limit(min - 1),
                (Atom::Unique, true) => shape.unique = true,
                (Atom::Unique, false) => shape.repeated = true,
                (Atom::ItemAt(index, item), true) => shape.at.push((*index, *item)),
                (Atom::ItemAt(index, item), false) => shape.there.push((*index, item.negated())),
                (Atom::ItemsFrom(index, item), true) => shape.from.push((*index, *item)),
                (Atom::ItemsFrom(index, item), false) => {
                    shape.somewhere.push((*index, item.negated()));
                }
                (Atom::CountMin(item, min), true) => shape.at_least.push((*item, *min)),
                (Atom::CountMin(item, min), false) => shape.at_most.push((*item, min - 1)),
                (Atom::CountMax(item, max), true) => shape.at_most.push((*item, *max)),
                (Atom::CountMax(item, max), false) => {
                    shape.at_least.push((*item, max.saturating_add(1)));
                }
                (Atom::Opaque(_, why), _) => shape.doubt = Some(Rc::clone(why)),
                _ => {}
            }
        }
        shape
    }

    pub(super) fn solve_array(&mut self, atoms: &[Lit]) -> Outcome {
        let mut shape = self.array_shape(atoms);
        if shape.unique && shape.repeated {
            return Outcome::None;
        }
        // None of a kind is something that all satisfy.
        let (none, some): (Vec<_>, Vec<_>) =
            shape.at_most.drain(..).partition(|(_, count)| *count == 0);
        shape.at_most = some;
        shape
            .from
            .extend(none.into_iter().map(|(lit, _)| (0, lit.negated())));
        let there = shape
            .there
            .iter()
            .map(|(index, _)| *index as u64 + 1)
            .max()
            .unwrap_or(0);
        let low = shape.min.max(there).max(if shape.repeated { 2 } else { 0 });
        let demands: u64 = shape.at_least.iter().map(|(_, count)| *count).fold(
            shape.somewhere.len() as u64 + 2 * u64::from(shape.repeated),
            u64::saturating_add,
        );
        let longest = low.max(shape.tail() as u64).saturating_add(demands);
        let longest = shape.max.map_or(longest, |max| max.min(longest));
        if low > longest {
            return Outcome::None;
        }
        if low > MAX_CHOSEN || demands > MAX_CHOSEN {
            return self.equal_items(&shape, low, demands);
        }
        let mut best = Best::new();
        for length in low..=longest {
            if length > 2 * MAX_CHOSEN {
                best.take(Outcome::unknown("an array that shows it would be too long"));
                break;
            }
            let Ok(length) = usize::try_from(length) else {
                break;
            };
            let mut items = Items {
                lits: Vec::new(),
                equal: None,
            };
            for index in 0..length {
                items.lits.push(shape.item(index));
            }
            // Where there can be no item, no longer array has one either.
            let stuck = (0..length).find(|index| self.solve(&items.lits[*index]).is_none());
            if stuck.is_some() {
                break;
            }
            let mut choices = MAX_CHOICES;
            if best.take(self.with_equal(&shape, items, &mut choices)) {
                break;
            }
        }
        best.outcome
    }

    /// A long array, of which all items after the first few are the same.
    fn equal_items(&mut self, shape: &ArrayShape, length: u64, demands: u64) -> Outcome {
        let mut items = Vec::new();
        for index in 0..=shape.tail() {
            if index as u64 >= length {
                break;
            }
            match self.solve(&shape.item(index)) {
                Outcome::Found(found) => items.push(found),
                Outcome::None => return Outcome::None,
                unknown @ Outcome::Unknown(_) => return unknown,
            }
        }
        let is_plain = demands == 0
            && shape.at_most.is_empty()
            && shape.there.is_empty()
            && !shape.unique
            && length <= MAX_EQUAL;
        let Some(last) = items.last().filter(|_| is_plain) else {
            return Outcome::unknown("an array that shows it would be too long");
        };
        let doubt = items
            .iter()
            .find_map(|item| item.doubt.clone())
            .or(shape.doubt.clone());
        let mut values: Vec<Value> = items.iter().map(|item| item.value.clone()).collect();
        let last = last.value.clone();
        values.resize(usize::try_from(length).unwrap_or(0), last);
        Outcome::found(Value::Array(values), doubt)
    }

    /// Chooses two that are equal, where that is asked for.
    fn with_equal(&mut self, shape: &ArrayShape, items: Items, choices: &mut u32) -> Outcome {
        let mut demands: Vec<(usize, Lit, u64)> = shape
            .somewhere
            .iter()
            .map(|(from, lit)| (*from, *lit, 1))
            .collect();
        demands.extend(shape.at_least.iter().map(|(lit, count)| (0, *lit, *count)));
        let mut items = items;
        for (index, lit) in &shape.there {
            items.lits[*index].push(*lit);
        }
        if !shape.repeated {
            return self.place(shape, &items, &demands, 0, choices);
        }
        let mut best = Best::new();
        for right in 1..items.lits.len() {
            for left in 0..right {
                let mut items = items.clone();
                let both = [items.lits[left].clone(), items.lits[right].clone()].concat();
                items.lits[left].clone_from(&both);
                items.lits[right] = both;
                items.equal = Some((left, right));
                if best.take(self.place(shape, &items, &demands, 0, choices)) {
                    return best.outcome;
                }
            }
        }
        best.outcome
    }

    /// Chooses an item for each demand, from `start` on for the first.
    fn place(
        &mut self,
        shape: &ArrayShape,
        items: &Items,
        demands: &[(usize, Lit, u64)],
        start: usize,
        choices: &mut u32,
    ) -> Outcome {
        let Some(((from, lit, count), rest)) = demands.split_first() else {
            return self.cap(shape, items, &shape.at_most, 0, 0, choices);
        };
        if *count == 0 {
            return self.place(shape, items, rest, 0, choices);
        }
        let mut best = Best::new();
        let mut tried: Vec<&Vec<Lit>> = Vec::new();
        for index in start.max(*from)..items.lits.len() {
            let own = &items.lits[index];
            let is_paired = items
                .equal
                .is_some_and(|(left, right)| [left, right].contains(&index));
            // Items of which the same is asked are as good as each other.
            if !is_paired && tried.contains(&own) {
                continue;
            }
            tried.push(own);
            if *choices == 0 {
                best.take(Outcome::unknown(
                    "there are too many ways to choose the items",
                ));
                break;
            }
            *choices -= 1;
            let mut items = items.clone();
            items.demand(index, *lit);
            if self.solve(&items.lits[index]).is_none() {
                continue;
            }
            let mut left = vec![(*from, *lit, count - 1)];
            left.extend_from_slice(rest);
            if best.take(self.place(shape, &items, &left, index + 1, choices)) {
                break;
            }
        }
        best.outcome
    }

    /// Chooses which items are of a kind of which there may only be so many.
    fn cap(
        &mut self,
        shape: &ArrayShape,
        items: &Items,
        caps: &[(Lit, u64)],
        index: usize,
        used: u64,
        choices: &mut u32,
    ) -> Outcome {
        let Some(((lit, max), rest)) = caps.split_first() else {
            return self.fill(shape, items);
        };
        if index == items.lits.len() {
            return self.cap(shape, items, rest, 0, 0, choices);
        }
        if *choices == 0 {
            return Outcome::unknown("there are too many ways to choose the items");
        }
        *choices -= 1;
        let mut best = Best::new();
        for (holds, used) in [(false, used), (true, used + 1)] {
            if used > *max {
                continue;
            }
            let mut items = items.clone();
            items.demand(index, if holds { *lit } else { lit.negated() });
            if self.solve(&items.lits[index]).is_none() {
                continue;
            }
            if best.take(self.cap(shape, &items, caps, index + 1, used, choices)) {
                break;
            }
        }
        best.outcome
    }

    /// Finds a value for each item.
    fn fill(&mut self, shape: &ArrayShape, items: &Items) -> Outcome {
        let mut doubt = shape.doubt.clone();
        let mut values: Vec<Value> = Vec::new();
        let mut taken: Vec<Lit> = Vec::new();
        for (index, lits) in items.lits.iter().enumerate() {
            if let Some((left, right)) = items.equal
                && right == index
            {
                values.push(values[left].clone());
                continue;
            }
            let mut lits = lits.clone();
            if shape.unique {
                lits.extend(&taken);
            }
            match self.solve(&lits) {
                Outcome::Found(found) => {
                    if shape.unique {
                        taken.push(self.lowering.constant(&found.value).negated());
                    }
                    doubt = doubt.or_else(|| found.doubt.clone());
                    values.push(found.value.clone());
                }
                // With other values before it there might be one, unless the same is asked
                // of all: then all that there are were taken.
                Outcome::None
                    if shape.unique && items.lits.iter().any(|all| *all != items.lits[0]) =>
                {
                    return Outcome::unknown("unique items were not found, and there may be some");
                }
                other => return other,
            }
        }
        Outcome::found(Value::Array(values), doubt)
    }
}

impl ArrayShape {
    fn limit(&mut self, max: u64) {
        self.max = Some(self.max.map_or(max, |old| old.min(max)));
    }
}

impl Items {
    /// Asks one more thing of an item, and of the one that equals it.
    fn demand(&mut self, index: usize, lit: Lit) {
        self.lits[index].push(lit);
        if let Some((left, right)) = self.equal {
            if index == left {
                self.lits[right].push(lit);
            } else if index == right {
                self.lits[left].push(lit);
            }
        }
    }
}

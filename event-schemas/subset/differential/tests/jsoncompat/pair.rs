//! Pairs of schemas given to both checkers.

use std::fmt;

use event_schemas_subset::{Comparison, Schema, compare};
use fastrand::Rng;
use serde_json::Value;

use crate::{Row, edits, schemas};

/// What is written, and what reads it.
pub(crate) struct Pair {
    pub(crate) sub: Value,
    pub(crate) sup: Value,
    /// Where it comes from.
    name: String,
}

impl Pair {
    pub(crate) fn new(sub: Value, sup: Value, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { sub, sup, name }
    }

    pub(crate) fn from_row(row: Row) -> Self {
        let name = format!("the row in line {} of its table", row.line);
        Self::new(row.sub, row.sup, name)
    }

    /// The pair of a seed: three of four are a schema and an edit of it. Both are in 2020-12,
    /// since jsoncompat reads no other draft. `None` if one is no schema that is compared.
    pub(crate) fn random(seed: u64) -> Option<Self> {
        let mut rng = Rng::with_seed(seed);
        let sub = schemas::schema(&mut rng, false);
        let sup = if rng.u8(..) < 64 {
            schemas::schema(&mut rng, false)
        } else {
            let mut sup = sub.clone();
            for _ in 0..rng.usize(1..=2) {
                edits::edit(&mut rng, &mut sup, false);
            }
            sup
        };
        let (sub, sup) = if rng.bool() { (sub, sup) } else { (sup, sub) };
        let pair = Self::new(sub, sup, format!("seed {seed}"));
        pair.compare().map(|_| pair)
    }

    /// What we say. `None` if one is no schema that is compared.
    pub(crate) fn compare(&self) -> Option<Comparison> {
        let sub = Schema::parse(&self.sub).ok()?;
        let sup = Schema::parse(&self.sup).ok()?;
        Some(compare(&sub, &sup))
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sub, sup, name } = self;
        write!(f, "{name}\n  written: {sub}\n  read by: {sup}")
    }
}

/// What we say of a row, if it is not what the table says.
pub(crate) fn otherwise(row: &Row) -> Option<String> {
    let pair = Pair::new(row.sub.clone(), row.sup.clone(), row.line.to_string());
    let Some(comparison) = pair.compare() else {
        return Some(format!("{pair}\n  we refuse it"));
    };
    let breaks: Vec<_> = comparison
        .breaks()
        .iter()
        .map(|found| (found.rule.id(), found.path.to_string()))
        .collect();
    let wanted: Vec<_> = row
        .breaks
        .iter()
        .map(|(rule, path)| (*rule, (*path).to_owned()))
        .collect();
    let same = comparison.verdict() == row.verdict && breaks == wanted;
    (!same).then(|| format!("{pair}\n  {comparison:?}"))
}

//! Holds our verdicts against those of jsoncompat, another checker, pair by pair.
//!
//! The pairs are the hand-written rows of `tests/cases` and random ones, which are the same in
//! every run. Each pair falls into a class (`class.rs`), whose condition is checked and not
//! believed; a pair that falls into none fails the test. The table of the classes is printed:
//!
//! ```sh
//! cargo xtask differential --pairs 5000
//! ```
//!
//! Beside that, the engine runs here as it does in the tree of a user who has
//! `serde_json/arbitrary_precision` switched on, and has to say of each row what the table says.

#[path = "../../../tests/cases/arrays.rs"]
mod arrays;
mod class;
#[path = "../../../tests/oracle/documents.rs"]
mod documents;
#[path = "../../../tests/oracle/edits.rs"]
mod edits;
mod examples;
mod gap;
#[path = "../../../tests/cases/numbers.rs"]
mod numbers;
#[path = "../../../tests/cases/objects.rs"]
mod objects;
mod pair;
mod ranges;
mod reduce;
#[path = "../../../tests/cases/references.rs"]
mod references;
#[path = "../../../tests/oracle/schemas.rs"]
mod schemas;
#[path = "../../../tests/cases/strings.rs"]
mod strings;
#[path = "../../../tests/cases/table.rs"]
mod table;
mod theirs;
#[path = "../../../tests/cases/values.rs"]
mod values;
#[path = "../../../tests/cases/variants.rs"]
mod variants;

use std::collections::BTreeMap;

use class::{Class, classify};
use pair::Pair;
pub(crate) use table::{Row, table};

/// How many random pairs there are, unless `DIFFERENTIAL_PAIRS` says it.
const PAIRS: u64 = 600;

#[test]
fn every_disagreement_with_jsoncompat_on_the_hand_written_pairs_is_explained() {
    let rows = [
        arrays::rows(),
        numbers::rows(),
        objects::rows(),
        references::rows(),
        strings::rows(),
        values::rows(),
        variants::rows(),
    ];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let wrong: Vec<String> = rows.iter().filter_map(pair::otherwise).collect();
    assert!(
        wrong.is_empty(),
        "not as the table says:\n{}",
        wrong.join("\n")
    );
    let counts = explain(rows.into_iter().map(Pair::from_row));
    assert!(counts.agreed() > 100, "{counts}");
}

#[test]
fn every_disagreement_with_jsoncompat_on_random_pairs_is_explained() {
    let pairs = std::env::var("DIFFERENTIAL_PAIRS").map_or(PAIRS, |text| text.parse().unwrap());
    let counts = explain((0..pairs).filter_map(Pair::random));
    assert!(counts.agreed() > counts.all() / 2, "{counts}");
}

/// Puts each pair into its class, and fails for those that have none.
fn explain(pairs: impl Iterator<Item = Pair>) -> Counts {
    let mut counts = Counts::default();
    let mut unexplained = Vec::new();
    for pair in pairs {
        match classify(&pair) {
            Ok(class) => *counts.0.entry(class).or_default() += 1,
            Err(why) => unexplained.push(format!("{why}\n{pair}")),
        }
    }
    println!("{counts}");
    assert!(
        unexplained.is_empty(),
        "{} pairs fall into no class:\n{}",
        unexplained.len(),
        unexplained.join("\n\n")
    );
    counts
}

/// How many pairs are in which class.
#[derive(Default)]
struct Counts(BTreeMap<Class, u64>);

impl Counts {
    fn all(&self) -> u64 {
        self.0.values().sum()
    }

    fn agreed(&self) -> u64 {
        let of = |class| self.0.get(&class).copied().unwrap_or(0);
        of(Class::BothContained) + of(Class::BothBroken)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{:>6}  pairs", self.all())?;
        for (class, count) in &self.0 {
            writeln!(f, "{count:>6}  {class}")?;
        }
        Ok(())
    }
}

//! Random pairs of schemas and documents, compared with an independent validator.
//!
//! Some thousands of pairs run with the other tests. For a long run, with a line of figures at
//! the end:
//!
//! ```sh
//! SUBSET_PAIRS=1000000 cargo test --release -p event-schemas-subset --test oracle -- --nocapture
//! ```
//!
//! `SUBSET_SEED` begins at another pair. A pair is made of its number alone, so one that failed
//! is repeated by its seed with `SUBSET_PAIRS=1`.

mod documents;
mod edits;
mod schemas;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event_schemas_subset::{Comparison, Schema, Verdict, compare};
use fastrand::Rng;
use jsonschema::Validator;
use serde_json::Value;

/// How many pairs run with the other tests.
const PAIRS: u64 = 4_000;
/// How many documents are shown to a pair.
const DOCUMENTS: usize = 24;

#[test]
fn no_document_contradicts_a_verdict() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let pairs = number("SUBSET_PAIRS").unwrap_or(PAIRS);
    let first = number("SUBSET_SEED").unwrap_or(0);
    let mut figures = Figures::default();
    for seed in first..first + pairs {
        check(seed, &mut figures);
    }
    println!("{figures}");
    if pairs >= PAIRS {
        for verdict in ["contained", "broken"] {
            let share = figures.share(verdict);
            assert!(share > 0.1, "hardly any pair is {verdict}: {figures}");
        }
        assert!(
            figures.share("unknown") < 0.05,
            "too many are unknown: {figures}"
        );
    }
}

/// Makes the pair of a seed, compares it, and shows it documents.
fn check(seed: u64, figures: &mut Figures) {
    let mut rng = Rng::with_seed(seed);
    let (sub, sup) = pair(&mut rng);
    let (Ok(written), Ok(read)) = (Schema::parse(&sub), Schema::parse(&sup)) else {
        figures.count("refused");
        return;
    };
    // A program writes what its schema names and nothing else.
    let (sub, written) = match written.closed() {
        Ok(closed) if rng.u8(..4) == 0 => (closed.as_value().clone(), closed),
        _ => (sub, written),
    };
    let (writes, reads) = (validator(&sub), validator(&sup));
    let start = std::time::Instant::now();
    let comparison = compare(&written, &read);
    figures.slowest = figures.slowest.max((start.elapsed(), seed));
    let context = || format!("SUBSET_SEED={seed}\nsub: {sub}\nsup: {sup}\n{comparison:#?}");
    for found in comparison.breaks() {
        let document = &found.document;
        assert!(
            writes.is_valid(document),
            "{document} is not written\n{}",
            context()
        );
        assert!(
            !reads.is_valid(document),
            "{document} is accepted\n{}",
            context()
        );
    }
    let mut witnesses = 0;
    for _ in 0..DOCUMENTS {
        let document = documents::any_of(&mut rng, &sub, &sup);
        if writes.is_valid(&document) && !reads.is_valid(&document) {
            witnesses += 1;
            assert_ne!(
                comparison.verdict(),
                Verdict::Contained,
                "{document} is written and not accepted\n{}",
                context()
            );
        }
    }
    figures.count(verdict(&comparison));
    if comparison.verdict() == Verdict::Unknown {
        for unknown in comparison.unknowns() {
            *figures.reasons.entry(shorten(&unknown.why)).or_default() += 1;
        }
        if witnesses > 0 {
            figures.count("unknown though a random document shows a break");
        }
        if std::env::var_os("SUBSET_SHOW").is_some() {
            println!("{}", context());
        }
    }
}

/// Half of the pairs are two schemas of their own, half are one and an edit of it.
fn pair(rng: &mut Rng) -> (Value, Value) {
    let draft7 = rng.u8(..) < 48;
    let sub = schemas::schema(rng, draft7);
    if rng.u8(..) < 64 {
        let draft7 = rng.u8(..) < 48;
        return (sub, schemas::schema(rng, draft7));
    }
    let mut sup = sub.clone();
    for _ in 0..rng.usize(1..=2) {
        edits::edit(rng, &mut sup, draft7);
    }
    if rng.bool() { (sub, sup) } else { (sup, sub) }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap_or_else(|error| panic!("{error}: {schema}"))
}

fn verdict(comparison: &Comparison) -> &'static str {
    match comparison.verdict() {
        Verdict::Contained => "contained",
        Verdict::Broken => "broken",
        Verdict::Unknown => "unknown",
    }
}

/// A reason without what it quotes.
fn shorten(why: &str) -> String {
    why.split('"').next().unwrap_or_default().to_owned()
}

/// How many pairs had which verdict.
#[derive(Default)]
struct Figures {
    counts: BTreeMap<&'static str, u64>,
    reasons: BTreeMap<String, u64>,
    slowest: (Duration, u64),
}

impl Figures {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn compared(&self) -> u64 {
        let verdicts = ["contained", "broken", "unknown"];
        verdicts
            .iter()
            .filter_map(|verdict| self.counts.get(verdict))
            .sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn share(&self, what: &str) -> f64 {
        self.counts.get(what).copied().unwrap_or(0) as f64 / self.compared().max(1) as f64
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} pairs compared", self.compared())?;
        for (what, count) in &self.counts {
            writeln!(f, "{count:>9}  {:>6.2} %  {what}", 100.0 * self.share(what))?;
        }
        for (why, count) in &self.reasons {
            writeln!(f, "{count:>9}  {why}")?;
        }
        let (time, seed) = self.slowest;
        write!(f, "the slowest took {time:.1?}: SUBSET_SEED={seed}")
    }
}

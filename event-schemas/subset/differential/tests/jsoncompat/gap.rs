//! Known reasons why jsoncompat has no proof.

use event_schemas_subset::Verdict;
use serde_json::Value;

use crate::pair::Pair;
use crate::reduce::reduce;
use crate::theirs;

/// What its proofs do not reach. It says of itself that they do not reach everything
/// (`keyword-support.md`: "`Unknown` is an expected result, not evidence of incompatibility").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// A schema in which a format is an assertion is one opaque condition for it
    /// (`SchemaDocument::root` in `json_schema_ast`, `ast.rs`: `has_assertions`).
    Formats,
    /// Of two patterns it knows only that they are the same (`subset.rs`: "intentionally
    /// conservative for hard cases such as regex implication").
    Patterns,
    /// What `contains` says of the number and the sameness of items.
    Contains,
    /// That one object has no part which a recursive schema asks for without end.
    Recursion,
    /// That multiples of 1 are integers, and those of 2 and of 3 are of 6.
    Multiples,
    /// What `dependentSchemas` refuses or lets pass, and that `dependentRequired` is one with
    /// `required`.
    Dependencies,
    /// That `prefixItems` which accept everything say nothing.
    Prefixes,
    /// That several schemas together accept all values (`keyword-support.md`: "Conservative
    /// Boolean and conditional proofs").
    Covers,
}

impl Gap {
    /// The words of which one must be left in the smallest pair, in the order in which they are
    /// looked for.
    const WORDS: [(Self, &[&str]); 8] = [
        (Self::Formats, &["format"]),
        (Self::Patterns, &["pattern", "patternProperties"]),
        (Self::Contains, &["contains"]),
        (Self::Recursion, &["$ref"]),
        (Self::Multiples, &["multipleOf"]),
        (
            Self::Dependencies,
            &["dependentRequired", "dependentSchemas"],
        ),
        (Self::Prefixes, &["prefixItems"]),
        (Self::Covers, &["anyOf", "oneOf", "if"]),
    ];
}

/// The reason, which is a keyword that cannot be left out: without it, they have the proof as
/// well, or it is none.
pub(crate) fn of(pair: &Pair) -> Result<Gap, String> {
    let small = reduce(pair, is_gap);
    let named = |word: &&str| names(&small.sub, word) || names(&small.sup, word);
    Gap::WORDS
        .into_iter()
        .find(|(_, words)| words.iter().any(named))
        .map(|(gap, _)| gap)
        .ok_or_else(|| format!("they have no proof, for no known reason: {small}"))
}

/// Whether we have a proof and they have none.
pub(crate) fn is_gap(pair: &Pair) -> bool {
    let ours = || pair.compare().map(|ours| ours.verdict());
    theirs::proves(&pair.sub, &pair.sup) == Some(false) && ours() == Some(Verdict::Contained)
}

/// Whether a member of this name is somewhere in a schema.
pub(crate) fn names(schema: &Value, word: &str) -> bool {
    match schema {
        Value::Object(members) => {
            members.contains_key(word) || members.values().any(|value| names(value, word))
        }
        Value::Array(items) => items.iter().any(|item| names(item, word)),
        _ => false,
    }
}

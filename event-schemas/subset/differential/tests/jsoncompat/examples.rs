//! The smallest known pair of each class.
//!
//! Of three classes none is known: of `NoProofOfOurs` and `NoDocumentOfOurs` there is no example
//! at all, and that of `TheirProofIsWrong` has an answer that is made up.

use serde_json::json;

use crate::class::{Class, classify, judge};
use crate::gap::Gap;
use crate::pair::Pair;
use crate::theirs::{self, Theirs};

/// Makes the pairs of a table, each with its class.
macro_rules! examples {
    ($($sub:tt <= $sup:tt => $class:expr;)*) => {
        vec![$((pair(json!($sub), json!($sup)), $class)),*]
    };
}

fn pair(sub: serde_json::Value, sup: serde_json::Value) -> Pair {
    Pair::new(sub, sup, "an example")
}

#[test]
fn each_class_that_was_met_has_a_smallest_pair() {
    let examples = examples! {
        { "type": "integer" } <= { "type": "number" } => Class::BothContained;
        { "type": "number" } <= { "type": "integer" } => Class::BothBroken;
        { "pattern": "^(?=a)" } <= { "pattern": "a" } => Class::NeitherKnows;
        { "type": "array" } <= { "maxItems": 1000 } => Class::NoDocumentOfTheirs;
        { "$schema": "http://json-schema.org/draft-07/schema#" } <= {} => Class::RefusedDraft;
        { "format": "money" } <= {} => Class::RefusedFormat;
        { "unevaluatedProperties": false, "multipleOf": 0.3 } <= {} => Class::RefusedByMistake;
        { "type": ["integer", "null"], "exclusiveMaximum": 2.5, "items": { "$ref": "#" } } <= {} => Class::RefusedByMistake;
        { "format": "uuid", "type": "string" } <= { "type": "string" } => gap(Gap::Formats);
        { "pattern": "^abc" } <= { "pattern": "b" } => gap(Gap::Patterns);
        {} <= { "patternProperties": { "^x": {} } } => gap(Gap::Patterns);
        { "contains": true, "maxContains": 3 } <= { "maxItems": 3 } => gap(Gap::Contains);
        { "type": "array", "items": { "$ref": "#" }, "minItems": 1 } <= { "type": "string" } => gap(Gap::Recursion);
        { "type": "number", "multipleOf": 1 } <= { "type": "integer" } => gap(Gap::Multiples);
        { "allOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }] } <= { "multipleOf": 6 } => gap(Gap::Multiples);
        { "dependentRequired": { "a": ["b"] } } <= { "dependentSchemas": { "a": { "required": ["b"] } } } => gap(Gap::Dependencies);
        {} <= { "dependentSchemas": { "ab": { "type": "object" } } } => gap(Gap::Dependencies);
        {} <= { "prefixItems": [{}] } => gap(Gap::Prefixes);
        { "type": "integer" } <= { "anyOf": [{ "minimum": 5 }, { "maximum": 4 }] } => gap(Gap::Covers);
        { "type": "integer" } <= { "if": { "minimum": 5 }, "else": { "maximum": 4 } } => gap(Gap::Covers);
    };
    for (pair, class) in examples {
        assert_eq!(classify(&pair), Ok(class), "{pair}");
    }
}

fn gap(gap: Gap) -> Class {
    Class::NoProofOfTheirs(gap)
}

/// The answers are made up: what we say of another pair, or what they would have said.
#[test]
fn an_answer_that_is_wrong_is_in_no_class() {
    let narrowed = pair(json!({ "type": "number" }), json!({ "type": "integer" }));
    let widened = pair(json!({ "type": "integer" }), json!({ "type": "number" }));
    let broken = narrowed.compare().unwrap();
    let contained = widened.compare().unwrap();

    // We say that it is contained, and it is not.
    let why = judge(&narrowed, &contained, &Theirs::Unknown).unwrap_err();
    assert!(why.starts_with("we have a proof, and"), "{why}");
    // Also where they say the same, or refuse the pair.
    for theirs in [Theirs::Compatible, refusal()] {
        let why = judge(&narrowed, &contained, &theirs).unwrap_err();
        assert!(why.starts_with("we have a proof, and"), "{why}");
    }
    let shown = Theirs::Incompatible(json!(0.5));
    let why = judge(&narrowed, &contained, &shown).unwrap_err();
    assert_eq!(why, "we have a proof, and their 0.5 contradicts it");
    // A document that shows nothing, of ours and of theirs.
    for theirs in [Theirs::Compatible, refusal()] {
        let why = judge(&widened, &broken, &theirs).unwrap_err();
        assert!(why.ends_with("shows nothing"), "{why}");
    }
    let shown = Theirs::Incompatible(json!("a"));
    let why = judge(&widened, &contained, &shown).unwrap_err();
    assert_eq!(why, "their document \"a\" shows nothing");
    // They have a proof of what our document refutes, which is a class: it is their error.
    let judged = judge(&narrowed, &broken, &Theirs::Compatible);
    assert_eq!(judged, Ok(Class::TheirProofIsWrong));
}

/// What they say of a pair that they refuse.
fn refusal() -> Theirs {
    let refused = theirs::ask(&json!({ "format": "money" }), &json!({}));
    assert!(matches!(refused, Theirs::Refused(_)));
    refused
}

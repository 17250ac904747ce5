//! Classes of agreement and disagreement between both checkers, with their conditions.

use std::fmt;

use event_schemas_subset::{Comparison, Verdict};
use fastrand::Rng;
use json_schema_ast::{CompileError, SchemaError};
use jsoncompat::SchemaBuildError;
use jsonschema::Validator;
use serde_json::Value;

use crate::documents;
use crate::gap::{self, Gap};
use crate::pair::Pair;
use crate::ranges;
use crate::theirs::{self, Theirs};

/// How many random documents are shown to a pair of which one of us has a proof, or both.
const DOCUMENTS: usize = 200;

/// The words that may have a fraction.
const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

/// How the two answers on a pair stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Both have a proof, and random documents do not contradict it.
    BothContained,
    /// Both have a document, and each holds for the validators of both.
    BothBroken,
    /// Neither knows.
    NeitherKnows,
    /// They have a proof, and we a document that is written and not accepted, also as their own
    /// validator has it: their proof is wrong.
    TheirProofIsWrong,
    /// We have a proof and they have none, for a reason.
    NoProofOfTheirs(Gap),
    /// We have a document, also as their own validator has it, which they did not find.
    NoDocumentOfTheirs,
    /// They have a proof and we have none, and say why.
    NoProofOfOurs,
    /// They have a document that we did not find, and say why.
    NoDocumentOfOurs,
    /// They read no schema in draft-07.
    RefusedDraft,
    /// They read no schema with a format that nobody knows, where formats are assertions.
    RefusedFormat,
    /// They refuse a schema that the validator reads. Their rewriting of `unevaluatedProperties`
    /// and `unevaluatedItems` loses definitions; and where there are references, bounds
    /// beside a list of types with `integer` have to be integers.
    RefusedByMistake,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProofOfTheirs(gap) => write!(f, "NoProofOfTheirs: {gap:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// The class of a pair, or why it is in none.
pub(crate) fn classify(pair: &Pair) -> Result<Class, String> {
    let ours = pair.compare().ok_or("we refuse it")?;
    judge(pair, &ours, &theirs::ask(&pair.sub, &pair.sup))
}

/// The class of a pair on which these are the answers.
pub(crate) fn judge(pair: &Pair, ours: &Comparison, theirs: &Theirs) -> Result<Class, String> {
    let sides = Sides::of(pair);
    for found in ours.breaks() {
        sides.confirm("our document", &found.document)?;
    }
    if let Theirs::Refused(why) = theirs {
        if ours.verdict() == Verdict::Contained {
            sides.hold("we have a proof")?;
        }
        return refused(pair, why);
    }
    if let Theirs::Incompatible(document) = theirs {
        sides.confirm("their document", document)?;
    }
    match (ours.verdict(), theirs) {
        (Verdict::Contained, Theirs::Compatible) => {
            sides.hold("we have a proof")?;
            Ok(Class::BothContained)
        }
        (Verdict::Contained, Theirs::Incompatible(document)) => Err(format!(
            "we have a proof, and their {document} contradicts it"
        )),
        (Verdict::Contained, Theirs::Unknown) => {
            sides.hold("we have a proof")?;
            gap::of(pair).map(Class::NoProofOfTheirs)
        }
        (Verdict::Broken, Theirs::Compatible) => {
            sides.confirm_by_theirs(ours)?;
            Ok(Class::TheirProofIsWrong)
        }
        (Verdict::Broken, Theirs::Incompatible(_)) => {
            sides.confirm_by_theirs(ours)?;
            Ok(Class::BothBroken)
        }
        (Verdict::Broken, Theirs::Unknown) => {
            sides.confirm_by_theirs(ours)?;
            Ok(Class::NoDocumentOfTheirs)
        }
        (Verdict::Unknown, _) if ours.unknowns().is_empty() => {
            Err("we do not know, and do not say why".to_owned())
        }
        (Verdict::Unknown, Theirs::Compatible) => {
            sides.hold("they have a proof")?;
            Ok(Class::NoProofOfOurs)
        }
        (Verdict::Unknown, Theirs::Incompatible(_)) => Ok(Class::NoDocumentOfOurs),
        (Verdict::Unknown, Theirs::Unknown) => Ok(Class::NeitherKnows),
        (_, Theirs::Refused(_) | Theirs::Panicked) => Err("they panicked".to_owned()),
    }
}

/// Why they refuse a pair, if that is seen in it too.
fn refused(pair: &Pair, why: &SchemaBuildError) -> Result<Class, String> {
    let schemas = || [&pair.sub, &pair.sup].into_iter();
    if let SchemaBuildError::Schema(SchemaError::UnsupportedSchemaDialect { .. }) = why
        && schemas().any(|schema| {
            let draft = schema.get("$schema").and_then(Value::as_str);
            draft.is_some_and(|draft| draft.contains("draft-07"))
        })
    {
        return Ok(Class::RefusedDraft);
    }
    let said = match why {
        SchemaBuildError::RawValidator {
            source: CompileError::ValidatorRejectedSchema { source },
        } => source.to_string(),
        _ => String::new(),
    };
    if said.starts_with("Unknown format")
        // It is the format alone: they read it where formats are annotations.
        && schemas().all(|schema| theirs::document(schema, false).is_ok())
    {
        return Ok(Class::RefusedFormat);
    }
    let named = |words: &[&str]| {
        let mut words = words.iter();
        words.any(|word| schemas().any(|schema| gap::names(schema, word)))
    };
    let lost = said.starts_with("Pointer ")
        && said.ends_with(" does not exist")
        && named(&["unevaluatedProperties", "unevaluatedItems"]);
    let fraction = matches!(
        why,
        SchemaBuildError::Schema(SchemaError::InvalidKeywordType { keyword, actual_type, .. })
            if *actual_type == "number" && BOUNDS.contains(&keyword.as_str())
    );
    // No reference leads to nothing, and nothing is of a wrong type.
    let is_right = |schema| jsonschema::validator_for(schema).is_ok();
    if (lost || fraction) && schemas().all(is_right) {
        return Ok(Class::RefusedByMistake);
    }
    Err(format!("they refuse it: {why}: {why:?}"))
}

/// Both schemas as the crate `jsonschema` has them, in the version by which our engine confirms its
/// documents too; jsoncompat's own validator is an older version of the same crate.
struct Sides<'a> {
    pair: &'a Pair,
    sub: Validator,
    sup: Validator,
}

impl<'a> Sides<'a> {
    fn of(pair: &'a Pair) -> Self {
        let validator = |schema: &Value| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(&ranges::spelled_out(schema))
                .unwrap()
        };
        Self {
            pair,
            sub: validator(&pair.sub),
            sup: validator(&pair.sup),
        }
    }

    fn shows(&self, document: &Value) -> bool {
        self.sub.is_valid(document) && !self.sup.is_valid(document)
    }

    fn confirm(&self, whose: &str, document: &Value) -> Result<(), String> {
        if self.shows(document) {
            Ok(())
        } else {
            Err(format!("{whose} {document} shows nothing"))
        }
    }

    /// Holds our documents against their own validator, where it reads both schemas.
    fn confirm_by_theirs(&self, ours: &Comparison) -> Result<(), String> {
        for found in ours.breaks() {
            let document = &found.document;
            let sub = theirs::accepts(&self.pair.sub, document);
            let sup = theirs::accepts(&self.pair.sup, document);
            if (sub, sup) != (Some(true), Some(false)) {
                return Err(format!(
                    "our document {document}: their validator says {sub:?} and {sup:?}"
                ));
            }
        }
        Ok(())
    }

    /// Holds a proof against random documents, of which none may be written and not accepted.
    fn hold(&self, proof: &str) -> Result<(), String> {
        let mut rng = Rng::with_seed(0);
        let shown = (0..DOCUMENTS)
            .map(|_| documents::any_of(&mut rng, &self.pair.sub, &self.pair.sup))
            .find(|document| self.shows(document));
        match shown {
            Some(document) => Err(format!("{proof}, and {document} contradicts it")),
            None => Ok(()),
        }
    }
}

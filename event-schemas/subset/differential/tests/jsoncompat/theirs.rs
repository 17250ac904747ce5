//! Runs jsoncompat on a pair.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsoncompat::{
    CompatibilityError, CompatibilityResult, Role, SchemaBuildError, SchemaDocument, SchemaOptions,
    analyze_compat, check_compat,
};
use serde_json::Value;

/// Its answer on "is every document of `sub` accepted by `sup`?".
pub(crate) enum Theirs {
    /// It has a proof.
    Compatible,
    /// It has a document, which its own validator confirms.
    Incompatible(Value),
    /// It has neither, and says so.
    Unknown,
    /// It does not read one of the schemas.
    Refused(Box<SchemaBuildError>),
    /// It panicked.
    Panicked,
}

/// Asks for all three answers.
pub(crate) fn ask(sub: &Value, sup: &Value) -> Theirs {
    // Of a serializer the new schema must be contained in the old one; the other role leaves out
    // documents with properties that are not declared.
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let (new, old) = (document(sub, true)?, document(sup, true)?);
        Ok(analyze_compat(&old, &new, Role::Serializer)?)
    }));
    match answer {
        Err(_) => Theirs::Panicked,
        Ok(Err(CompatibilityError::Schema(why))) => Theirs::Refused(Box::new(why)),
        Ok(Err(other)) => panic!("an error of a new kind: {other}"),
        Ok(Ok(CompatibilityResult::Compatible)) => Theirs::Compatible,
        Ok(Ok(CompatibilityResult::Incompatible { counterexample, .. })) => {
            Theirs::Incompatible(counterexample)
        }
        Ok(Ok(CompatibilityResult::Unknown { .. })) => Theirs::Unknown,
    }
}

/// Whether it reads both schemas and has a proof; without the search for a document.
pub(crate) fn proves(sub: &Value, sup: &Value) -> Option<bool> {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let (new, old) = (document(sub, true).ok()?, document(sup, true).ok()?);
        check_compat(&old, &new, Role::Serializer).ok()
    }));
    answer.ok().flatten()
}

/// Reads a schema. Formats are assertions for us, and can be for it.
pub(crate) fn document(
    schema: &Value,
    assert_formats: bool,
) -> Result<SchemaDocument, SchemaBuildError> {
    let mut options = SchemaOptions::default();
    options.assert_formats = Some(assert_formats);
    SchemaDocument::from_json_with_options(schema, &options)
}

/// What its own validator says of a document.
pub(crate) fn accepts(schema: &Value, instance: &Value) -> Option<bool> {
    document(schema, true).ok()?.is_valid(instance).ok()
}

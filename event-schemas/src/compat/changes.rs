//! Field-by-field changes between two schemas, for reports.

use std::fmt;

use serde_json::Value;

use super::fields;

/// A field that is another in two schemas, or is in one of them only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where it is in the data: `items[].price`.
    pub(crate) path: String,
    /// What it was; `None` for a new field.
    pub(crate) was: Option<Told>,
    /// What it is; `None` for one that is gone.
    pub(crate) is: Option<Told>,
}

/// A field as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// What it can be: `string (date-time)`.
    pub(crate) shape: String,
    /// Whether it has to be there.
    pub(crate) required: bool,
}

/// The fields that differ, in the order of the newer schema; those that are gone stand
/// where they stood.
pub(crate) fn between(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (told(old), told(new));
    let of = |fields: &[(String, Told)], path: &str| {
        let mut fields = fields.iter();
        fields
            .find(|(known, _)| known == path)
            .map(|(_, told)| told.clone())
    };
    let mut paths: Vec<&String> = old.iter().chain(&new).map(|(path, _)| path).collect();
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.as_str()));
    paths
        .into_iter()
        .map(|path| Change {
            path: path.clone(),
            was: of(&old, path),
            is: of(&new, path),
        })
        .filter(|change| change.was != change.is)
        .collect()
}

/// The fields by path; what variants of an enum say of one path is put together.
fn told(schema: &Value) -> Vec<(String, Told)> {
    let mut told: Vec<(String, Told)> = vec![(
        "$".to_owned(),
        Told {
            shape: fields::shape_of(schema),
            required: true,
        },
    )];
    let mut at: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for field in fields::of(schema) {
        if let Some(&index) = at.get(&field.path) {
            told[index].1.also(&field.shape, field.required);
        } else {
            at.insert(field.path.clone(), told.len());
            let fields::Field {
                path,
                shape,
                required,
                ..
            } = field;
            told.push((path, Told { shape, required }));
        }
    }
    told
}

impl Told {
    fn also(&mut self, shape: &str, required: bool) {
        if !self.shape.split(" | ").any(|known| known == shape) {
            self.shape = format!("{} | {shape}", self.shape);
        }
        self.required &= required;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let need = if self.required {
            "required"
        } else {
            "optional"
        };
        write!(f, "{}, {need}", self.shape)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.was, &self.is) {
            (None, Some(_)) => write!(f, "`{}` is new", self.path),
            (Some(_), None) => write!(f, "`{}` is gone", self.path),
            (Some(was), Some(is)) if was.shape == is.shape => {
                let need = if is.required { "required" } else { "optional" };
                write!(f, "`{}` is {need} now", self.path)
            }
            _ => write!(f, "`{}` is another", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_told_by_field() {
        let old = json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string" }, "gone": { "type": "null" }, "same": {}, "b": { "type": "string" },
        } });
        let new = json!({ "type": "object", "required": ["b"], "properties": {
            "a": { "type": "integer" }, "new": true, "same": {}, "b": { "type": "string" },
        } });
        let told: Vec<_> = between(&old, &new)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "`a` is another",
                "`b` is required now",
                "`gone` is gone",
                "`new` is new"
            ]
        );
    }

    #[test]
    fn variants_that_name_one_field_are_one() {
        let old = json!({ "oneOf": [
            { "properties": { "kind": { "const": "a" } }, "required": ["kind"] },
            { "properties": { "kind": { "const": "b" } }, "required": ["kind"] },
        ] });
        let (path, kind) = &told(&old)[1];
        assert_eq!(
            (path.as_str(), kind.to_string().as_str()),
            ("kind", "\"a\" | \"b\", required")
        );
    }
}

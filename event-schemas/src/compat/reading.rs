//! Decodes a document that the schema refuses with the code's type.

use event_schemas_subset::{Break, Rule, Step};
use serde_json::Value;

use super::current::Made;

/// What became of such a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// It is refused, or nobody can say.
    Refused,
    /// It was read, and what stands at the place of the break is still there.
    Kept,
    /// It was read, and what stands at the place of the break was dropped.
    Lost,
}

/// What became of the document of a break, by what the type made of it.
pub(super) fn of(found: &Break, made: &Made) -> Read {
    match made {
        Made::Refused | Made::Unknown => Read::Refused,
        // It was read, and nothing is to be seen of how.
        Made::Unwritten => Read::Kept,
        Made::Written(written) if keeps(found, written) => Read::Kept,
        Made::Written(_) => Read::Lost,
    }
}

/// Whether what the break is about is there in what was read.
fn keeps(found: &Break, read: &Value) -> bool {
    let (was, is) = (
        at(&found.document, found.path.steps()),
        at(read, found.path.steps()),
    );
    if is.is_empty() {
        return false;
    }
    match found.rule {
        // What is required is there under another name.
        Rule::RequiredAdded | Rule::DependentRequired if was.is_empty() => {
            is.iter().all(|value| !value.is_null())
        }
        _ => holds_as_much(&was, &is),
    }
}

/// Whether each of the values has all that there was, under whatever name.
fn holds_as_much(was: &[&Value], is: &[&Value]) -> bool {
    let size = |values: &[&Value]| -> usize {
        let objects = values.iter().filter_map(|value| value.as_object());
        objects.map(serde_json::Map::len).sum()
    };
    let is_gone =
        is.iter().all(|value| value.is_null()) && !was.iter().all(|value| value.is_null());
    !is_gone && size(is) >= size(was)
}

/// The values at a path.
fn at<'v>(document: &'v Value, steps: &[Step]) -> Vec<&'v Value> {
    let mut values = vec![document];
    for step in steps {
        values = values
            .into_iter()
            .flat_map(|value| -> Vec<&Value> {
                match (step, value) {
                    (Step::Key(name), Value::Object(members)) => {
                        members.get(name).into_iter().collect()
                    }
                    (Step::EveryKey, Value::Object(members)) => members.values().collect(),
                    (Step::Index(index), Value::Array(items)) => {
                        items.get(*index).into_iter().collect()
                    }
                    (Step::EveryItem, Value::Array(items)) => items.iter().collect(),
                    _ => Vec::new(),
                }
            })
            .collect();
    }
    values
}

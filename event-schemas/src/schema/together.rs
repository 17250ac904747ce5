//! Fields of a flattened `Option` of a struct: which are only read, or written, together
//! (`dependentRequired`).
//!
//! schemars lists the fields of the struct as optional. But if a required field of the struct is
//! missing, serde reads `None` and drops the other fields. So documents are decoded with one field
//! removed at a time: each other field that is dropped then depends on the removed one.

use std::collections::{BTreeMap, BTreeSet};

use event_sdk::event::DataError;
use serde_json::{Map, Value, json};

use super::{places, sample, walk};

/// Values that fields are most often left out for.
const EMPTY: [fn() -> Value; 6] = [
    || Value::Null,
    || Value::Bool(false),
    || json!(0),
    || json!(""),
    || json!([]),
    || json!({}),
];

/// For each field, those without which it is not there.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// Says in both schemas which fields need each other. `reread` answers what the type writes of
/// what it read: an error if it refuses the data, nothing if it does not write them.
pub(crate) fn tell(
    writer: &mut Value,
    reader: &mut Value,
    examples: &[Value],
    reread: impl Fn(&Value) -> Result<Option<Value>, DataError>,
) {
    if !has_candidates(reader) {
        return;
    }
    let reread = |document: &Value| reread(document).ok().flatten();
    for document in sample::with_examples(reader, examples) {
        let Some(written) = reread(&document) else {
            continue;
        };
        for place in places::objects(&document) {
            let wanted: BTreeSet<String> = places::of(reader, &document, &place)
                .iter()
                .filter_map(|pointer| reader.pointer(pointer)?.as_object())
                .flat_map(candidates)
                .collect();
            let probe = Probe {
                document: &document,
                written: &written,
                place: &place,
                reread: &reread,
            };
            let (read, put) = probe.needs(&wanted);
            let sides = [
                (&mut *reader, &document, &read),
                (&mut *writer, &written, &put),
            ];
            for (schema, document, needs) in sides {
                for pointer in places::of(schema, document, &place) {
                    if let Some(Value::Object(keywords)) = schema.pointer_mut(&pointer) {
                        add(keywords, needs);
                    }
                }
            }
        }
    }
}

/// An object in a document that is read.
struct Probe<'a, R> {
    document: &'a Value,
    /// The document that the type writes after it has read `document`.
    written: &'a Value,
    place: &'a str,
    reread: &'a R,
}

impl<R: Fn(&Value) -> Option<Value>> Probe<'_, R> {
    /// Which fields need which where the object is read, and where it is written.
    fn needs(&self, candidates: &BTreeSet<String>) -> (Needs, Needs) {
        let mut read = Needs::new();
        let Some(all) = self.members(self.document) else {
            return (read, Needs::new());
        };
        let mut seen = vec![self.names(self.written)];
        let whole = seen[0].clone();
        for needed in candidates.intersection(&whole) {
            let mut without = all.clone();
            without.remove(needed);
            let Some(names) = self.names_of(without) else {
                continue;
            };
            for lost in whole.difference(&names).filter(|lost| *lost != needed) {
                let needs = read.entry(lost.clone()).or_default();
                needs.insert(needed.clone());
            }
            seen.push(names);
        }
        // A field that may be left out is missing in what is written without it, or when it is
        // empty.
        let involved: BTreeSet<&String> = read.keys().chain(read.values().flatten()).collect();
        for name in &involved {
            for empty in EMPTY {
                let mut emptied = all.clone();
                emptied.insert((*name).clone(), empty());
                seen.extend(self.names_of(emptied));
            }
            let mut without = all.clone();
            without.remove(*name);
            seen.extend(self.names_of(without));
        }
        let mut put = Needs::new();
        for name in &involved {
            for other in involved.iter().filter(|other| *other != name) {
                let together =
                    |names: &BTreeSet<String>| !names.contains(*name) || names.contains(*other);
                if whole.contains(*name) && seen.iter().all(together) {
                    let needs = put.entry((*name).clone()).or_default();
                    needs.insert((*other).clone());
                }
            }
        }
        (read, put)
    }

    /// The fields that are written of the object if it is read with these members.
    fn names_of(&self, members: Map<String, Value>) -> Option<BTreeSet<String>> {
        let mut document = self.document.clone();
        *document.pointer_mut(self.place)? = Value::Object(members);
        Some(self.names(&(self.reread)(&document)?))
    }

    fn names(&self, document: &Value) -> BTreeSet<String> {
        let members = self.members(document);
        members
            .into_iter()
            .flat_map(|members| members.keys().cloned())
            .collect()
    }

    fn members<'d>(&self, document: &'d Value) -> Option<&'d Map<String, Value>> {
        document.pointer(self.place)?.as_object()
    }
}

fn has_candidates(schema: &Value) -> bool {
    let mut found = false;
    walk::each(schema, &mut |keywords| {
        found |= candidates(keywords).next().is_some();
    });
    found
}

/// The fields that a flattened struct may require: those that are not required, although they
/// have no default and cannot be null.
fn candidates(keywords: &Map<String, Value>) -> impl Iterator<Item = String> {
    let required = keywords.get("required").and_then(Value::as_array);
    let is_required =
        move |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = keywords.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter(move |(name, schema)| !is_required(name) && has_to_be_given(schema))
        .map(|(name, _)| name.clone())
}

fn has_to_be_given(schema: &Value) -> bool {
    let Some(keywords) = schema.as_object() else {
        return schema == &Value::Bool(true);
    };
    let is_null = |schema: &Value| match schema.get("type") {
        Some(Value::String(one)) => one == "null",
        Some(Value::Array(several)) => several.iter().any(|one| one == "null"),
        _ => false,
    };
    let options = ["anyOf", "oneOf"].into_iter();
    let mut options = options.filter_map(|name| keywords.get(name)?.as_array());
    !keywords.contains_key("default")
        && !is_null(schema)
        && !options.any(|options| options.iter().any(is_null))
}

/// Adds to the keywords of an object which of its optional fields need which.
fn add(keywords: &mut Map<String, Value>, needs: &Needs) {
    let has = |part: &str, name: &str| match keywords.get(part) {
        Some(Value::Object(properties)) => properties.get(name).is_some_and(|one| one != false),
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        _ => false,
    };
    let mut told = Needs::new();
    for (name, needed) in needs {
        let needed = needed
            .iter()
            .filter(|needed| has("properties", needed) && !has("required", needed));
        if has("properties", name) && !has("required", name) {
            told.entry(name.clone())
                .or_default()
                .extend(needed.cloned());
        }
    }
    told.retain(|_, needed| !needed.is_empty());
    if told.is_empty() {
        return;
    }
    let dependent = keywords
        .entry("dependentRequired")
        .or_insert_with(|| Map::new().into());
    let Value::Object(dependent) = dependent else {
        return;
    };
    for (name, mut needed) in told {
        let known = dependent.get(&name).and_then(Value::as_array);
        let known = known.into_iter().flatten().filter_map(Value::as_str);
        needed.extend(known.map(str::to_owned));
        dependent.insert(name, needed.into_iter().collect());
    }
}

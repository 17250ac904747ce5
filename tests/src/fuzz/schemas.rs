//! The files in a folder of contracts: the index, the schemas, the golden documents.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use event_schemas::lock::Lock;
use event_schemas_subset::Schema;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ENVELOPE: &str = "envelope.json";
const SCHEMA: &str = "job.completed/1.0.json";
const GOLDEN: &str = "job.completed/1.0.golden.json";
const INDEX: &str = "index.json";

/// The first byte chooses the file that the others replace.
pub(super) fn run(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        schema(&value);
    }
    let mut files = files();
    let path = [INDEX, SCHEMA, GOLDEN, ENVELOPE][usize::from(choice % 4)];
    files.insert(path.to_owned(), bytes.to_vec());
    if path != INDEX {
        // The index says the hash of each file, so that another file would not be read at all.
        let index = index(&files);
        files.insert(INDEX.to_owned(), index);
    }
    match Lock::from_files(files) {
        Ok(lock) => {
            assert!(lock.index().is_object());
            for event in lock.events() {
                assert!(event.newest().is_some());
                for version in event.versions() {
                    let _ = (version.key_use(), version.golden(), version.pii());
                }
            }
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// What is a schema decides about documents, and can be closed.
fn schema(value: &Value) {
    match Schema::parse(value) {
        Ok(schema) => {
            for document in [json!(null), json!({}), json!([1]), json!("a")] {
                assert_eq!(
                    schema.accepts(&document),
                    schema.validate(&document).is_empty(),
                    "{value} on {document}"
                );
            }
            let _ = schema.closed();
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// A folder with one event.
fn files() -> BTreeMap<String, Vec<u8>> {
    let files: [(&str, &[u8]); 3] = [
        (
            ENVELOPE,
            include_bytes!("../../../examples/contracts/envelope.json"),
        ),
        (
            SCHEMA,
            include_bytes!("../../../examples/contracts/job.completed/1.0.json"),
        ),
        (
            GOLDEN,
            include_bytes!("../../../examples/contracts/job.completed/1.0.golden.json"),
        ),
    ];
    let mut files: BTreeMap<_, _> = files
        .into_iter()
        .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
        .collect();
    let index = index(&files);
    files.insert(INDEX.to_owned(), index);
    files
}

/// The index of that folder.
fn index(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let index = include_str!("../../../examples/contracts/index.json");
    let mut index: Value = serde_json::from_str(index).expect("the index is JSON");
    index["envelope"] = hash(&files[ENVELOPE]).into();
    let events = index["events"].as_array_mut().expect("it has events");
    events.retain(|event| event["subject"] == "job.completed");
    let version = &mut events[0]["versions"][0];
    version["schema"] = hash(&files[SCHEMA]).into();
    version["golden"] = hash(&files[GOLDEN]).into();
    index.to_string().into()
}

fn hash(bytes: &[u8]) -> String {
    let mut lines = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            lines.push(*byte);
        }
    }
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(lines) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let files = files();
    let order = [INDEX, SCHEMA, GOLDEN, ENVELOPE].into_iter().zip(0..);
    let seeds = order.map(|(path, choice)| [&[choice], &files[path][..]].concat());
    seeds.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else every input would be refused by its hash, and tell nothing.
    #[test]
    fn the_seeds_are_read() {
        let lock = Lock::from_files(files()).unwrap();
        assert_eq!(lock.events().len(), 1);
    }
}

//! Golden vectors in other languages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::client::Client;

pub(crate) async fn the_golden_vectors_hold(client: Client) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() >= 2);
    let vectors = files.iter().map(|file| {
        let text = fs::read_to_string(file).unwrap();
        let groups: BTreeMap<String, Vec<serde_json::Value>> = serde_json::from_str(&text).unwrap();
        groups.values().map(Vec::len).sum::<usize>()
    });
    assert_eq!(client.golden(&files).await, vectors.sum::<usize>());
}

//! The AsyncAPI document of the shop, held against AsyncAPI's own parser.

use std::fs;

use event_schemas::asyncapi;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shop;
use crate::tools::Tools;

/// What the parser says.
#[derive(Debug, Deserialize)]
struct Said {
    /// Everything that it finds fault with, or warns of.
    findings: Vec<Finding>,
    /// The examples that were held against the schemas of their payload and headers.
    examples: usize,
    /// The messages of each operation, as the parser sees them.
    operations: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    code: String,
    path: String,
    message: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Operation {
    id: String,
    action: String,
    address: String,
    messages: Vec<String>,
}

async fn ask(document: &Value) -> Option<Said> {
    let tools = Tools::node()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asyncapi.json");
    fs::write(&file, document.to_string()).unwrap();
    Some(tools.run("node/asyncapi.js", &[&file]).await)
}

fn document() -> Value {
    let catalogue = shop::catalogue();
    assert_eq!(catalogue.faults().len(), 0, "{:#?}", catalogue.faults());
    serde_json::from_str(&asyncapi::render(&catalogue)).unwrap()
}

#[tokio::test]
async fn the_official_parser_finds_no_fault() {
    let Some(said) = ask(&document()).await else {
        return;
    };
    assert!(said.findings.is_empty(), "{:#?}", said.findings);
    assert_eq!(said.examples, 11);
}

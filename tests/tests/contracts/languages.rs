//! Generated TypeScript and Python types read the same documents.

use serde::Deserialize;

use crate::documents::{self, Document};
use crate::shop;
use crate::tools::Tools;

/// A document on which a tool has another verdict than it should.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Surprise {
    schema: String,
    name: String,
    taken: bool,
    why: String,
}

#[derive(Debug, Deserialize)]
struct Completion {
    /// How many documents were looked at.
    documents: usize,
    surprises: Vec<Surprise>,
}

async fn ask(tools: &Tools, script: &str) -> (Completion, Vec<Document>) {
    let catalogue = shop::catalogue();
    let documents = documents::all(&catalogue);
    let folder = tempfile::tempdir().unwrap();
    documents::write(&catalogue, &documents, folder.path());
    (tools.run(script, &[folder.path()]).await, documents)
}

#[tokio::test]
async fn pydantic_has_the_verdicts_of_our_decoder() {
    let (answer, documents) = ask(&Tools::python(), "python/models.py").await;
    assert!(answer.surprises.is_empty(), "{:#?}", answer.surprises);
    assert_eq!(answer.documents, documents.len());
}

#[tokio::test]
async fn typescript_compiles_what_is_good_and_nothing_of_another_type() {
    let (answer, documents) = ask(&Tools::node(), "node/types.js").await;
    assert!(answer.surprises.is_empty(), "{:#?}", answer.surprises);
    assert_eq!(answer.documents, documents.len());
}

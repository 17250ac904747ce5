//! `UnsaidForm`: a field whose JSON only a function knows, so that no schema has it.

use std::path::PathBuf;

/// A field that is written by a function (`serialize_with`), in a form that its schema may not
/// have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsaidForm {
    /// The name of the type that has the field.
    pub ty: String,
    /// The field.
    pub field: String,
    /// The subjects of the events that have a type of this name in them, sorted.
    pub events: Vec<String>,
    /// The file, as it was reached from what was scanned.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

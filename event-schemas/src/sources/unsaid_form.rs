//! `UnsaidForm`: a field whose JSON only a function knows, so that no schema has it.

use std::path::PathBuf;

/// A field that a function writes (`serialize_with`). Its form may differ from its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsaidForm {
    /// The name of the type that has the field.
    pub ty: String,
    /// The field.
    pub field: String,
    /// The subjects of the events that contain a type with this name, sorted.
    pub events: Vec<String>,
    /// The path of the file, starting with the scanned path.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

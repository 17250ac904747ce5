//! Scans Rust sources for derived events that no catalogue lists.
//!
//! A catalogue is made by itself, so it can be forgotten: an event is derived,
//! published and never listed. [`scan`] follows the modules of a crate and finds
//! every struct that derives `Event`; [`Sources::problems`] compares them with a
//! catalogue. A struct that derives `Readable` is only received, so its publisher's catalogue has it.
//!
//! What is compiled for tests only is left out, and so is what stands inside a
//! function. An older version, of which a newer one is made (`upcast_from`), need not
//! be in the catalogue. An event that a macro writes cannot be seen. A derive
//! that has another name (`use event_sdk::Event as DomainEvent`) is known in the module that
//! gives it.

mod item;
mod modules;
mod problem;
mod unsaid_form;

pub use modules::ScanError;
pub use problem::Problem;
pub use unsaid_form::UnsaidForm;

use std::path::{Path, PathBuf};

use event_sdk::Version;

use crate::Catalogue;
use item::Found;

/// What was found in the sources of a crate.
#[derive(Debug, Default)]
pub struct Sources {
    found: Found,
    files: usize,
}

/// An event in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// The name of the struct.
    pub name: String,
    /// The subject, without prefix and key.
    pub subject: String,
    /// Whether the subject takes no prefix.
    pub absolute: bool,
    /// The version.
    pub version: Version,
    /// The file, as it was reached from what was scanned.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The name of the struct that it is made from.
    pub(crate) upcast_from: Option<String>,
}

/// Scans a crate: the file of its root module (`src/lib.rs`), or the folder with
/// its sources, in which `lib.rs`, `main.rs`, `bin/*.rs` and `bin/*/main.rs` are roots.
///
/// # Errors
///
/// [`ScanError`] when there is no root, a file cannot be read or is no Rust, or
/// a module's file is missing.
pub fn scan(path: impl AsRef<Path>) -> Result<Sources, ScanError> {
    let mut sources = Sources::default();
    for root in modules::roots(path.as_ref())? {
        sources.files += modules::walk(&root, &mut sources.found)?;
    }
    Ok(sources)
}

impl Sources {
    /// The events, in the order in which they were found.
    pub fn events(&self) -> &[SourceEvent] {
        &self.found.events
    }

    /// How many files were read.
    pub fn files(&self) -> usize {
        self.files
    }

    /// What is wrong with the catalogue, or with the types of its events, as the
    /// sources have them.
    pub fn problems(&self, catalogue: &Catalogue) -> Vec<Problem> {
        problem::find(&self.found, catalogue)
    }
}

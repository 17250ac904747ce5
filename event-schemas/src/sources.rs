//! Scans Rust sources for derived events that no catalogue lists.
//!
//! A catalogue is written by hand, so an event can be derived and published, but missing in the
//! catalogue. [`scan`] follows the modules of a crate and finds every struct that derives `Event`;
//! [`Sources::problems`] compares the structs with a catalogue. A struct that derives `Readable` is
//! only received, so the catalogue of its publisher has the event.
//!
//! Code that is compiled only for tests, and code inside functions, is skipped. An older version
//! that a newer one names (`upcast_from`) need not be in the catalogue. An event that a macro
//! generates cannot be seen. If the derive is imported under another name
//! (`use event_sdk::Event as DomainEvent`), it is recognized in the module with that import.

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

/// The events, and other findings, in the sources of a crate.
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
    /// The path of the file, starting with the scanned path.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The name of the struct that it is made from.
    pub(crate) upcast_from: Option<String>,
}

/// Scans a crate. `path` is the file of its root module (`src/lib.rs`), or the folder with its
/// sources. In a folder, `lib.rs`, `main.rs`, `bin/*.rs` and `bin/*/main.rs` are the root modules.
///
/// # Errors
///
/// [`ScanError`] if there is no root module, if a file cannot be read or is not valid Rust, or if a
/// module's file is missing.
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

    /// The number of files that were read.
    pub fn files(&self) -> usize {
        self.files
    }

    /// Compares the sources with the catalogue, and returns what is wrong with the catalogue or
    /// with the types of its events.
    pub fn problems(&self, catalogue: &Catalogue) -> Vec<Problem> {
        problem::find(&self.found, catalogue)
    }
}

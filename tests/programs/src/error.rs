//! `ProgramError`: why a program is missing.

use std::io;
use std::path::PathBuf;

use crate::Version;

/// Why there is no program to start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the places has one that is fit.
    #[error("no {program} {needed} was found: {advice}")]
    NotFound {
        /// What was looked for.
        program: &'static str,
        /// The version that it must have.
        needed: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// An environment variable names a program that is not fit.
    #[error("{variable} names {}, which is {version}: it must be {needed}", path.display())]
    WrongVersion {
        /// The variable.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What that is.
        version: Version,
        /// What is needed.
        needed: &'static str,
    },
    /// An environment variable names something that does not tell its version.
    #[error("{variable} names {}, which does not tell its version", path.display())]
    Unusable {
        /// The variable.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What happened when it was asked.
        source: io::Error,
    },
    /// A program without one that belongs to it.
    #[error("there is no {missing} beside {}: install the whole package of the server", path.display())]
    Incomplete {
        /// The program.
        path: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
}

//! Finds the programs that tests start (nats-server, PostgreSQL, Node, Python, Chromium), for tests and
//! `cargo xtask services`.
//!
//! One place knows where a program may be and which version it must have, so that a
//! test that is run alone starts the same server as `cargo xtask test`. Nothing is
//! installed and nothing is started here.

pub mod chromium;
pub mod clients;
pub mod contracts;
pub mod nats;
pub mod node;
pub mod postgres;

mod error;
mod installed;
mod search;
mod version;

pub use error::Error;
pub use version::{InvalidVersion, Version};

use std::fmt;
use std::path::{Path, PathBuf};

/// A server's program that was found and asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    version: Version,
    origin: Origin,
}

impl Program {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says that it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How it was found.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

/// How a program was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The environment variable of this name names it.
    Environment(&'static str),
    /// It is in a folder of the `PATH`, or where systems keep servers.
    System,
    /// `cargo xtask services` has installed it.
    Installed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "named by {name}"),
            Self::System => f.write_str("found on the system"),
            Self::Installed => f.write_str("installed by `cargo xtask services`"),
        }
    }
}

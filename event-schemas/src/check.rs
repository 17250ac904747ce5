//! Checks the contracts: code against files, files against a git ref, versions against
//! one another.

pub mod git;
mod settings;

pub use settings::{Settings, SettingsError};

//! The packages that are no members of the workspace, whose `Cargo.toml` say why.

use anyhow::Result;

use crate::process::{cargo, run as run_command};

pub(crate) const MANIFESTS: [&str; 3] = [
    "event-schemas/subset/differential/Cargo.toml",
    "tests/fuzz/Cargo.toml",
    "tests/peers/Cargo.toml",
];

/// Fails unless they are formatted: all of them that every CI run has, since their crates take
/// minutes to build.
pub(crate) fn check_format() -> Result<()> {
    for manifest in MANIFESTS {
        run_command(cargo().args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(())
}

//! CI step cargo-deny: licences, bans, sources, advisories (`deny.toml`).
//!
//! What could not be checked is always said: the tool may be missing, and the database of
//! advisories is on the network.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::steps::{Notices, Status};
use crate::metadata::Metadata;
use crate::process::{cargo, output, run};

/// The version that `--install-tools` builds. Doing so takes four to five minutes on two cores,
/// a quarter of what the whole CI may take: hence only when asked for.
const VERSION: &str = "0.20.2";

/// Runs cargo-deny if there is one, or if it may be installed.
pub(super) fn check(metadata: &Metadata, install: bool, notices: &mut Notices) -> Result<Status> {
    let tools = metadata.target_directory.join("tools");
    let tool = match find(&places(&tools)) {
        Some(tool) => tool,
        None if install => install_into(&tools)?,
        None => {
            notices.push(missing());
            return Ok(Status::Incomplete);
        }
    };
    println!(
        "{}: {}",
        tool.display(),
        output(Command::new(&tool).arg("--version"))?.trim()
    );
    run(Command::new(&tool).args(["check", "licenses", "bans", "sources"]))?;
    if fetch_advisories(&tool).is_err() {
        notices.push(ADVISORIES_UNCHECKED.to_owned());
        return Ok(Status::Incomplete);
    }
    run(Command::new(&tool).args(["check", "advisories"]))?;
    Ok(Status::Passed)
}

/// The folders that may hold the tool: the `PATH`, cargo's own, and ours.
fn places(tools: &Path) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = env::split_paths(&path).collect();
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    places.extend(cargo_home.map(|home| home.join("bin")));
    places.push(tools.join("bin"));
    places
}

fn find(places: &[PathBuf]) -> Option<PathBuf> {
    let name = format!("cargo-deny{}", env::consts::EXE_SUFFIX);
    places
        .iter()
        .map(|place| place.join(&name))
        .find(|program| program.is_file())
}

fn install_into(tools: &Path) -> Result<PathBuf> {
    run(cargo()
        .args([
            "install",
            "--locked",
            "cargo-deny",
            "--version",
            VERSION,
            "--root",
        ])
        .arg(tools))?;
    let name = format!("cargo-deny{}", env::consts::EXE_SUFFIX);
    Ok(tools.join("bin").join(name))
}

fn missing() -> String {
    format!(
        "cargo-deny not found: licences, bans, sources and advisories were not checked. Install \
         it with `cargo install --locked cargo-deny --version {VERSION}`, or let \
         `cargo xtask ci --install-tools` put it into target/tools."
    )
}

const ADVISORIES_UNCHECKED: &str = "advisories were not checked: their database could not be \
                                    fetched, for the reason that cargo-deny gives above";

/// Never asks for a password, and gives up on a connection that stalls.
fn fetch_advisories(tool: &Path) -> Result<()> {
    let git = [
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_HTTP_LOW_SPEED_LIMIT", "1000"),
        ("GIT_HTTP_LOW_SPEED_TIME", "30"),
    ];
    run(Command::new(tool).args(["fetch", "db"]).envs(git))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn our_own_copy_is_looked_for_last() {
        let places = places(Path::new("/somewhere/target/tools"));
        assert_eq!(
            places.last().unwrap(),
            Path::new("/somewhere/target/tools/bin")
        );
    }

    #[test]
    fn a_folder_without_the_tool_is_passed_over() {
        assert_eq!(find(&[root(), PathBuf::from("/no/such/folder")]), None);
    }

    #[test]
    fn the_notice_says_what_was_not_checked_and_how_to_get_the_tool() {
        let notice = missing();
        assert!(notice.contains("cargo-deny not found"), "{notice}");
        assert!(notice.contains(&format!("--version {VERSION}")), "{notice}");
        assert!(notice.contains("--install-tools"), "{notice}");
    }
}

//! Running rustc version, and the pinned one of the compile-fail texts.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{output, root};
use crate::version::RustVersion;

/// The one place that names the compiler whose error texts are committed; the tests read it too.
const PINNED: &str = "tests/compiler/ui/PINNED_RUSTC";

/// What to tell a developer whose rustc is not the pinned one; `None` when it is.
pub(crate) fn pin_notice() -> Result<Option<String>> {
    let path = root().join(PINNED);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read {PINNED}, which names the pinned rustc"))?;
    let pinned = text
        .trim()
        .parse()
        .with_context(|| format!("{PINNED} does not name a rustc"))?;
    Ok(notice(pinned, running()?))
}

/// The first line of `rustc --version`, for people to read.
pub(crate) fn description() -> Result<String> {
    Ok(output(Command::new("rustc").arg("--version"))?
        .trim()
        .to_owned())
}

fn running() -> Result<RustVersion> {
    let verbose = output(Command::new("rustc").arg("-vV"))?;
    release(&verbose)
        .with_context(|| format!("`rustc -vV` names no release:\n{verbose}"))?
        .parse()
}

fn release(verbose: &str) -> Option<&str> {
    verbose
        .lines()
        .find_map(|line| line.strip_prefix("release: "))
        .map(str::trim)
}

fn notice(pinned: RustVersion, running: RustVersion) -> Option<String> {
    (!running.same_minor(pinned)).then(|| {
        format!(
            "the compile-fail error texts are those of rustc {pinned} ({PINNED}), and this is \
             rustc {running}: texts that differ here may be the compiler's doing. \
             Confirm with `cargo +{pinned} xtask test`."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_found_in_what_rustc_prints() {
        let verbose = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nrelease: 1.95.0\n";
        assert_eq!(release(verbose), Some("1.95.0"));
        assert_eq!(release("rustc 1.95.0"), None);
    }

    #[test]
    fn the_pinned_line_needs_no_notice_whatever_its_patch() {
        let pinned = "1.95".parse().unwrap();
        assert_eq!(notice(pinned, "1.95.2".parse().unwrap()), None);
    }

    #[test]
    fn another_line_is_named_together_with_the_pinned_one() {
        let text = notice("1.95".parse().unwrap(), "1.96.1".parse().unwrap()).unwrap();
        assert!(text.contains("rustc 1.95 "), "{text}");
        assert!(text.contains("rustc 1.96.1:"), "{text}");
    }

    #[test]
    fn the_committed_pin_can_be_read() {
        assert!(pin_notice().is_ok());
    }
}

//! Compile-fail tests: the error text of each mistake (`ui/<kind>/*.stderr`), and programs that
//! must compile (`ui/pass/`).
//!
//! Each folder of `ui` but `pass` holds one kind of mistake. The texts are
//! compared to the letter, and rustc words its errors a little differently in
//! each release: so they are compared only by the release that
//! `ui/PINNED_RUSTC` names. Another one runs the cases of `pass`, and says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn mistakes_are_refused_and_the_rest_is_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    let (pinned, running) = (pinned(), running());
    if running.starts_with(&format!("{pinned}.")) {
        for folder in folders_of_mistakes() {
            cases.compile_fail(folder.join("*.rs"));
        }
    } else {
        // Not `eprintln!`, which a test that passes keeps to itself.
        let notice = format!(
            "\n\
             ======================================================================\n\
             NOT COMPARED: the compile-fail cases of tests/compiler.\n\
             Their texts are those of rustc {pinned}, and this is rustc {running}.\n\
             Run `cargo +{pinned} test -p event-sdk-test-compiler` to compare them.\n\
             ======================================================================\n"
        );
        std::io::stderr()
            .write_all(notice.as_bytes())
            .expect("stderr can be written to");
    }
}

#[test]
fn every_mistake_has_its_text_and_every_text_its_mistake() {
    for folder in folders_of_mistakes() {
        let mut cases = names(&folder, "rs");
        let mut texts = names(&folder, "stderr");
        cases.sort();
        texts.sort();
        assert!(!cases.is_empty(), "{} has no case", folder.display());
        assert_eq!(cases, texts, "in {}", folder.display());
    }
}

/// The folders of `ui`, without the one for what must compile.
fn folders_of_mistakes() -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let folders = std::fs::read_dir(ui).expect("ui exists");
    folders
        .map(|entry| entry.expect("ui can be read").path())
        .filter(|path| path.is_dir() && !path.ends_with("pass"))
        .map(|path| Path::new("ui").join(path.file_name().expect("it has a name")))
        .collect()
}

/// The names of the files in `folder` that end in `extension`, without it.
fn names(folder: &Path, extension: &str) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.with_extension(""))
        .collect()
}

/// The release by which the texts were written: `1.95`.
fn pinned() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/PINNED_RUSTC");
    let text = std::fs::read_to_string(path).expect("ui/PINNED_RUSTC exists");
    text.trim().to_owned()
}

/// The release that compiles the cases: `1.95.0`.
fn running() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let text = String::from_utf8(output.expect("rustc runs").stdout).expect("it prints text");
    // rustc 1.95.0 (59807616e 2026-04-14)
    let version = text.split_whitespace().nth(1);
    version.expect("rustc says its version").to_owned()
}

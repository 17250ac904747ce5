//! `snapshot`: compares what a command wrote with a file, `SNAPSHOTS=overwrite` writes the file.

use std::fs;
use std::path::PathBuf;

/// The longest line of a screen.
const WIDTH: usize = 100;

/// Compares `text` with the snapshot `name`. Styles are written as `<bold>` would be: `\e[1m`.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let plain = anstream::adapter::strip_str(text).to_string();
    // JSON and the configuration of a server are for programs, and an audit line is one line.
    let is_of_program = name.rsplit('.').next() == Some("json")
        || ["permissions.pipe", "permissions.terminal"].contains(&name);
    let lines = plain.lines().filter(|line| !line.starts_with("audit:"));
    for line in lines.filter(|_| !is_of_program) {
        let width = line.chars().count();
        assert!(
            width <= WIDTH,
            "{name}: a line has {width} characters: {line}"
        );
    }
    compare(name, text);
}

#[track_caller]
fn compare(name: &str, text: &str) {
    let text = text.replace('\u{1b}', "\\e").replace('\r', "\\r");
    let file = folder().join(format!("{name}.txt"));
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&file, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_else(|why| {
        panic!(
            "{}: {why}; run the test with SNAPSHOTS=overwrite, and look at the file",
            file.display()
        )
    });
    assert!(
        text == expected,
        "{name} is another screen than {}; if it is better, run the test with SNAPSHOTS=overwrite.\nexpected:\n{expected}\nfound:\n{text}",
        file.display()
    );
}

/// The names of all snapshots that there are.
pub(crate) fn snapshots() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".txt").to_owned())
        .collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/commands/snapshots")
}

/// As [`snapshot`], for source code, whose lines may be longer.
#[track_caller]
pub(crate) fn wide_snapshot(name: &str, text: &str) {
    compare(name, text);
}

//! docs/commands.md has a section for each command, and for nothing else. Each command line of the pages can
//! be read.

use std::fs;
use std::path::{Path, PathBuf};

use event_sdk_ops::Operations;

use crate::program::{piped, words};

const PAGE: &str = include_str!("../../../../docs/commands.md");

#[test]
fn the_page_has_a_section_for_each_command() {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## `"));
    let sections: Vec<_> = headings.map(|line| line.trim_end_matches('`')).collect();
    assert_eq!(
        sections,
        event_sdk_ops::commands(),
        "in the order of the help"
    );
    for (name, text) in sections_of_page() {
        assert!(text.contains("Exit codes: 0"), "{name} has no exit codes");
        assert!(
            text.contains(&format!("shop {name}")),
            "{name} has no example"
        );
    }
}

/// The commands with their sections.
fn sections_of_page() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = PAGE.split("\n## `").skip(1);
    sections.map(|section| section.split_once('`').unwrap())
}

#[tokio::test]
async fn a_command_that_asks_has_its_exit_code() {
    let shop = Operations::new("shop");
    let mut asking = 0;
    for (name, text) in sections_of_page() {
        let help = piped(&shop, &format!("{name} --help")).await.out;
        if !help.contains("--yes") {
            continue;
        }
        asking += 1;
        let (_, codes) = text.split_once("Exit codes:").unwrap();
        let says = codes.contains("nobody agreed") || codes.contains("those of `consumers reset`");
        assert!(
            says,
            "{name} asks, and its exit codes do not say what 1 means:{codes}"
        );
    }
    assert!(asking > 5, "{asking}");
}

/// The pages of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect();
    pages.extend([
        root.join("README.md"),
        root.join("CONTRIBUTING.md"),
        root.join("event-sdk/ops/README.md"),
    ]);
    pages.sort();
    pages
}

/// The command lines of a page: lines of code, and code in sentences, each with whether it is a whole line.
fn command_lines(page: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (index, part) in page.split("```").enumerate() {
        if index % 2 == 1 {
            let mut lines = part.lines();
            if !["", "sh", "text", "console"].contains(&lines.next().unwrap_or_default()) {
                continue;
            }
            for line in lines {
                for part in line.split(" | ").flat_map(|part| part.split(" && ")) {
                    let part = part.trim().trim_start_matches("$ ");
                    let part = part.split(" #").next().unwrap_or_default();
                    found.push((
                        part.split(" > ").next().unwrap_or_default().to_owned(),
                        true,
                    ));
                }
            }
        } else {
            let code = part.split('`').skip(1).step_by(2);
            found.extend(code.map(|code| (code.replace('\n', " "), false)));
        }
    }
    found
}

/// What the example `shop` has, which is another program than the `shop` of the pages.
const OF_THE_EXAMPLE: [&str; 3] = ["apply", "serve", "take"];

#[test]
fn each_command_line_of_the_pages_can_be_read() {
    let commands = event_sdk_ops::commands();
    let mut read = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for (line, is_whole) in command_lines(&page) {
            let mut names = ["shop ", "cargo xtask events "].iter();
            let Some(args) = names.find_map(|name| line.strip_prefix(name)) else {
                continue;
            };
            let args = args.trim();
            let first = args.split(' ').next().unwrap_or_default();
            // A sentence names commands, and groups of them, without what they are told.
            let is_name = commands.iter().any(|it| it == args)
                || commands
                    .iter()
                    .any(|it| it.starts_with(&format!("{args} ")));
            if !is_whole && is_name || OF_THE_EXAMPLE.contains(&first) {
                continue;
            }
            let mut words = words(args);
            for word in words.iter_mut().filter(|word| *word == "ID") {
                *word = "1".to_owned();
            }
            words.insert(0, "shop".to_owned());
            let parsed = event_sdk_ops::__private::check(words);
            assert_eq!(parsed, Ok(()), "{}: `{line}`", path.display());
            read += 1;
        }
    }
    assert!(read > 60, "only {read} command lines were found");
}

#[test]
fn a_line_that_cannot_be_read_is_found() {
    let page = "`shop dlq\nlist` and\n```sh\n$ jq . x | shop trace 1 --limits 2 # all\n```\n";
    let lines = command_lines(page);
    let expected = [
        ("shop dlq list".to_owned(), false),
        ("jq . x".to_owned(), true),
        ("shop trace 1 --limits 2".to_owned(), true),
    ];
    assert_eq!(lines, expected);
    for args in ["shop dlq list", "shop trace 1 --limits 2"] {
        assert!(event_sdk_ops::__private::check(words(args)).is_err());
    }
}

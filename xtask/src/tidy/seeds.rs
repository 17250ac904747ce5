//! Checks that docs/seeds.md has each row once, and names functions that run as tests.
//!
//! The last cell of a row has tests, links, or the reason why something is not built. A test is the
//! path of its file in backticks, followed by the names of functions in backticks, which run as tests
//! (see `tests_of`).

mod tests_of;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use self::tests_of::{Found, TestsOf};
use super::markdown;

const PAGE: &str = "docs/seeds.md";

/// The letter of each system, and the number of its rows.
const SYSTEMS: [(char, usize); 5] = [('A', 19), ('D', 14), ('J', 19), ('F', 13), ('H', 8)];

/// What a row without a test and without a link has to say.
const NOT_BUILT: &str = "not built, because";

/// A row whose test is ignored names this command, which runs it.
const LONG: &str = "cargo xtask long";

/// A file of this folder is a test by itself.
const COMPILE_FAIL: &str = "tests/compiler/ui/";

/// Every row that is missing or too much, and every test that does not exist.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let page =
        fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    Ok(faults(&page, |path| {
        fs::read_to_string(root.join(path)).ok()
    }))
}

fn faults(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut missing: BTreeSet<String> = SYSTEMS
        .into_iter()
        .flat_map(|(letter, rows)| (1..=rows).map(move |row| format!("{letter}{row}")))
        .collect();
    let known = missing.clone();
    let mut faults = Vec::new();
    for (line, cells) in markdown::rows(page) {
        let id = cells[0].as_str();
        if !is_id(id) {
            continue;
        }
        let mut add = |fault: String| faults.push(format!("{PAGE}:{line}: {id}: {fault}"));
        if !missing.remove(id) {
            let fault = if known.contains(id) {
                "the row is there twice. Join the two."
            } else {
                "no system has a row with this id. Correct it."
            };
            add(fault.to_owned());
        }
        match cells.as_slice() {
            [_, _, _, shown] => shown_by(shown, &read).into_iter().for_each(add),
            cells => add(format!(
                "the row has {} cells instead of 4: id, there, here, shown by.",
                cells.len()
            )),
        }
    }
    let missing = missing.iter();
    faults.extend(missing.map(|id| format!("{PAGE}: the row {id} is missing. Add it.")));
    faults
}

fn is_id(cell: &str) -> bool {
    let number = cell.strip_prefix(|first: char| first.is_ascii_uppercase());
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// What is wrong with the last cell of a row.
fn shown_by(cell: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut file: Option<(&str, TestsOf)> = None;
    let may_be_ignored = cell.contains(LONG);
    let mut without_test: Option<&str> = None;
    let mut tests = 0;
    for code in cell.split('`').skip(1).step_by(2) {
        if code == LONG {
            continue;
        }
        if has_extension(code, "rs") {
            faults.extend(without_test.take().map(names_no_test));
            let main = code.rsplit_once('/');
            let main = main.and_then(|(folder, _)| read(&format!("{folder}/main.rs")));
            let tests_of = |source: String| (code, TestsOf::source(&source, main.as_deref()));
            file = read(code).map(tests_of);
            match &file {
                None => faults.push(format!("the file `{code}` does not exist.")),
                Some((_, TestsOf::Unreadable(why))) => {
                    faults.push(format!("`{code}` cannot be parsed: {why}."));
                }
                Some(_) if code.starts_with(COMPILE_FAIL) => tests += 1,
                Some(_) => without_test = Some(code),
            }
            continue;
        }
        without_test = None;
        tests += 1;
        let Some((path, tests)) = &file else {
            faults.push(format!("`{code}` stands behind no file that exists."));
            continue;
        };
        match tests.find(code) {
            Found::Test => {}
            Found::Ignored if may_be_ignored => {}
            Found::Ignored => faults.push(format!(
                "`{code}` in `{path}` is ignored. Name a test that runs, or say with `{LONG}` what runs it."
            )),
            Found::NoTest => faults.push(format!(
                "`{code}` in `{path}` is no test: it has no attribute `test`, and no suite lists it."
            )),
            Found::Nothing => faults.push(format!("`{path}` has no function `{code}`.")),
        }
    }
    faults.extend(without_test.map(names_no_test));
    let links: Vec<_> = markdown::links(cell);
    for (_, target) in &links {
        if has_extension(target, "md") {
            faults.push(format!(
                "the link `{target}` names no heading. Append `#` and its anchor."
            ));
        }
    }
    if tests == 0 && faults.is_empty() && links.is_empty() && !cell.contains(NOT_BUILT) {
        faults.push(format!(
            "nothing shows it. Name a test or a page, or write \"{NOT_BUILT} …\"."
        ));
    }
    faults
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|own| own == extension)
}

fn names_no_test(path: &str) -> String {
    format!("no test of `{path}` is named. Append the names of its functions.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
        //! Tests fn commented() {}
        cases! { \"area\": listed [Need] \"A promise.\"; }
        async fn listed() {}
        fn helper() {}
        fn by_main() {}
        proptest! {
            #[test]
            fn random(x: u8) {}
            fn helps(x: u8) {}
        }
        other! { helper }
        mod inner {
            #[test]
            fn one() {}
            #[tokio::test(flavor = \"multi_thread\")]
            pub(super) async fn two() {}
            #[test]
            #[ignore = \"it takes minutes\"]
            fn long() {}
        }
    ";

    fn read(path: &str) -> Option<String> {
        match path {
            "a/tests.rs" | "tests/compiler/ui/b.rs" => Some(SOURCE.to_owned()),
            "a/main.rs" => Some("in_each_language! { tests::by_main, }".to_owned()),
            "a/broken.rs" => Some("fn one(".to_owned()),
            _ => None,
        }
    }

    /// A page with all rows, of which that of D1 is the given one.
    fn page(row: &str) -> String {
        let rows = SYSTEMS.into_iter().flat_map(|(letter, rows)| {
            let ids = (1..=rows).map(move |row| format!("{letter}{row}"));
            ids.filter(|id| id != "D1")
                .map(|id| format!("| {id} | there | here | `a/tests.rs` `one` |\n"))
        });
        format!(
            "| id | there | here | shown by |\n|---|---|---|---|\n{}{row}\n",
            rows.collect::<String>()
        )
    }

    #[test]
    fn tests_links_and_reasons_show_a_row() {
        for cell in [
            "`a/tests.rs` `one` `two`; also `a/tests.rs` `listed`",
            "`a/tests.rs` `by_main` `random`",
            "`a/tests.rs` `long`, which `cargo xtask long` runs",
            "`tests/compiler/ui/b.rs`",
            "[a page](a.md#heading)",
            "[a file](../deploy/nats.conf)",
            "not built, because nothing needs it",
        ] {
            let page = page(&format!("| D1 | there | here | {cell} |"));
            assert_eq!(faults(&page, read), [""; 0], "{cell}");
        }
    }

    #[test]
    fn what_is_planted_is_found() {
        for (row, fault) in [
            (
                "D1 | there | here | `a/tests.rs` `three`",
                "`a/tests.rs` has no function `three`",
            ),
            (
                "D1 | there | here | `a/tests.rs` `commented`",
                "has no function `commented`",
            ),
            (
                "D1 | there | here | `a/tests.rs` `helper`",
                "`helper` in `a/tests.rs` is no test",
            ),
            (
                "D1 | there | here | `a/tests.rs` `helps`",
                "has no function `helps`",
            ),
            (
                "D1 | there | here | `a/tests.rs` `long`",
                "`long` in `a/tests.rs` is ignored",
            ),
            (
                "D1 | there | here | `a/broken.rs` `one`",
                "`a/broken.rs` cannot be parsed",
            ),
            (
                "D1 | there | here | `a/none.rs`",
                "the file `a/none.rs` does not exist",
            ),
            ("D1 | there | here | `one`", "`one` stands behind no file"),
            (
                "D1 | there | here | `a/tests.rs`",
                "no test of `a/tests.rs` is named",
            ),
            (
                "D1 | there | here | `a/tests.rs`, `a/tests.rs` `one`",
                "no test of `a/tests.rs`",
            ),
            (
                "D1 | there | here | [a page](a.md)",
                "the link `a.md` names no heading",
            ),
            ("D1 | there | here | nothing", "nothing shows it"),
            ("D1 | there | `a/tests.rs` `one`", "the row has 3 cells"),
        ] {
            let found = faults(&page(&format!("| {row} |")), read);
            assert_eq!(found.len(), 1, "{row}: {found:?}");
            assert!(found[0].starts_with("docs/seeds.md:75: D1: "), "{found:?}");
            assert!(found[0].contains(fault), "{found:?}");
        }
    }

    #[test]
    fn each_id_stands_once() {
        let row = |id: &str| format!("| {id} | there | here | `a/tests.rs` `one` |");
        let missing = faults(&page(""), read);
        assert_eq!(missing, ["docs/seeds.md: the row D1 is missing. Add it."]);
        let doubled = faults(&page(&format!("{}\n{}", row("D1"), row("A3"))), read);
        assert_eq!(doubled.len(), 1, "{doubled:?}");
        assert!(
            doubled[0].contains(": A3: the row is there twice"),
            "{doubled:?}"
        );
        let unknown = faults(&page(&format!("{}\n{}", row("D1"), row("D15"))), read);
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        assert!(
            unknown[0].contains(": D15: no system has a row"),
            "{unknown:?}"
        );
    }
}

//! Compares the secrets table of the tests with the `pub fn`s of `NatsOptions`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const OPTIONS: &str = "event-sdk/nats/src/options.rs";
const TABLE: &str = "tests/tests/secure/secrets/table.rs";

/// The row that is no method: the URLs that `Nats::options` takes.
const URLS: &str = "servers";

/// Every option without a row, and every row without an option.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
    };
    compare(&read(OPTIONS)?, &read(TABLE)?)
}

fn compare(options: &str, table: &str) -> Result<Vec<String>> {
    let methods = methods(options);
    ensure!(
        !methods.is_empty(),
        "{OPTIONS} has no `impl NatsOptions` with `pub fn`s"
    );
    let rows = rows(table);
    ensure!(
        !rows.is_empty(),
        "{TABLE} has no rows, `option(\"…\", …)` or `no_text(\"…\", …)`"
    );
    let missing = methods.difference(&rows).map(|method| {
        format!(
            "{TABLE}: no row for `NatsOptions::{method}`. Add one with every place where a secret can stand, or `no_text` if it takes no text."
        )
    });
    let surplus = rows
        .difference(&methods)
        .filter(|row| **row != URLS)
        .map(|row| {
            format!("{TABLE}: a row for `{row}`, which is no `pub fn` of `NatsOptions`. Remove it.")
        });
    Ok(missing.chain(surplus).collect())
}

/// The public methods in `impl NatsOptions`.
fn methods(options: &str) -> BTreeSet<&str> {
    let lines = options
        .lines()
        .skip_while(|line| !line.starts_with("impl NatsOptions"));
    let body = lines.take_while(|line| *line != "}");
    let public = body.filter_map(|line| {
        let rest = line.strip_prefix("    pub ")?;
        let rest = rest.strip_prefix("const ").unwrap_or(rest);
        rest.strip_prefix("async ")
            .unwrap_or(rest)
            .strip_prefix("fn ")
    });
    public
        .filter_map(|rest| rest.split(['(', '<']).next())
        .collect()
}

/// The names in `option("…", …)` and `no_text("…", …)`, also if rustfmt put the name on a line of
/// its own.
fn rows(table: &str) -> BTreeSet<&str> {
    let calls = ["option(", "no_text("]
        .into_iter()
        .flat_map(|call| table.split(call).skip(1));
    let names = calls.filter_map(|rest| rest.trim_start().strip_prefix('"'));
    names.filter_map(|rest| rest.split('"').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::compare;

    const OPTIONS: &str = "pub struct NatsOptions;\n\
        impl NatsOptions {\n    pub(super) fn new() {}\n    pub fn user(mut self) {}\n    \
        pub const fn tls(self) {}\n    fn check() {}\n}\nimpl Other {\n    pub fn other() {}\n}\n";

    #[test]
    fn a_table_with_a_row_for_each_option_is_accepted() {
        let table = "option(\"servers\", x), option(\n    \"user\",\n x), no_text(\"tls\", x)";
        assert!(compare(OPTIONS, table).unwrap().is_empty());
    }

    #[test]
    fn missing_and_surplus_rows_are_named() {
        let table = "option(\"user\", x), no_text(\"other\", x)";
        let faults = compare(OPTIONS, table).unwrap();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("`NatsOptions::tls`"), "{faults:?}");
        assert!(faults[1].contains("`other`"), "{faults:?}");
    }

    #[test]
    fn what_cannot_be_found_is_an_error() {
        compare("", "option(\"user\")").unwrap_err();
        compare(OPTIONS, "").unwrap_err();
    }
}

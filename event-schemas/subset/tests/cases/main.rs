//! Hand-written pairs of schemas with their verdicts, by keyword: numbers, strings, arrays,
//! objects, references, variants.
//!
//! A row reads: what is written, what reads it, and what is said: `contained`, `unknown`, or the
//! rule and path of every break. `differential` goes through the same rows.

mod arrays;
mod numbers;
mod objects;
mod references;
mod strings;
mod table;
mod values;
mod variants;

use event_schemas_subset::{Rule, Schema, Verdict, compare};

pub(crate) use table::{Row, table};

#[test]
fn numbers() {
    check("numbers", numbers::rows());
}

#[test]
fn strings() {
    check("strings", strings::rows());
}

#[test]
fn values() {
    check("values", values::rows());
}

#[test]
fn arrays() {
    check("arrays", arrays::rows());
}

#[test]
fn objects() {
    check("objects", objects::rows());
}

#[test]
fn variants() {
    check("variants", variants::rows());
}

#[test]
fn references() {
    check("references", references::rows());
}

#[test]
fn the_table_is_long_and_names_every_rule_but_the_one_for_what_has_no_name() {
    let all: Vec<Row> = [
        numbers::rows(),
        strings::rows(),
        values::rows(),
        arrays::rows(),
        objects::rows(),
        variants::rows(),
        references::rows(),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(all.len() >= 150, "only {} rows", all.len());
    for rule in Rule::ALL.iter().filter(|rule| **rule != Rule::Narrowed) {
        let named = all
            .iter()
            .flat_map(|row| row.breaks)
            .any(|(id, _)| *id == rule.id());
        assert!(named, "no row breaks {rule}");
    }
}

/// Compares each row, and each of its schemas with itself.
fn check(table: &str, rows: Vec<Row>) {
    let mut failed = Vec::new();
    for row in rows {
        let at = format!("{table}.rs:{}: {} <= {}", row.line, row.sub, row.sup);
        let (sub, sup) = (
            Schema::parse(&row.sub).unwrap(),
            Schema::parse(&row.sup).unwrap(),
        );
        for same in [&sub, &sup] {
            let again = Schema::parse(same.as_value()).unwrap();
            assert_eq!(
                compare(same, &again).verdict(),
                Verdict::Contained,
                "{at}: with itself"
            );
        }
        let comparison = compare(&sub, &sup);
        let breaks: Vec<(&str, String)> = comparison
            .breaks()
            .iter()
            .map(|found| (found.rule.id(), found.path.to_string()))
            .collect();
        let wanted: Vec<(&str, String)> = row
            .breaks
            .iter()
            .map(|(rule, path)| (*rule, (*path).to_owned()))
            .collect();
        // Only a row that says so is undecided, also beside a break.
        let is_decided = comparison.unknowns().is_empty();
        if comparison.verdict() != row.verdict
            || breaks != wanted
            || is_decided == (row.verdict == Verdict::Unknown)
        {
            failed.push(format!(
                "{at}\n  {:?} {breaks:?}\n  {:?}",
                comparison.verdict(),
                comparison.unknowns()
            ));
        }
        for found in comparison.breaks() {
            assert!(
                sub.accepts(&found.document) && !sup.accepts(&found.document),
                "{at}"
            );
            assert!(
                found.why.ends_with('.') && !found.why.contains('\n'),
                "{}",
                found.why
            );
        }
    }
    assert!(
        failed.is_empty(),
        "{} rows:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

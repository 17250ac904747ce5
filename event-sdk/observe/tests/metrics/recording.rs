//! The recording rules: each is a metric of docs/health.md with the name of another system, over names
//! that an exporter for Prometheus writes.

use std::collections::BTreeSet;

use metrics_exporter_prometheus::PrometheusBuilder;

use crate::monitoring::{names_in, names_of_metrics, rendered, spreading_unknown};

const RECORDING: &str = include_str!("../../monitoring/recording.yml");
const PAGE: &str = include_str!("../../../../docs/health.md");

/// The name of each rule and its expression, which is one line.
fn rules() -> Vec<(&'static str, &'static str)> {
    let rules = RECORDING.split("- record: ").skip(1);
    let rules = rules.map(|rule| {
        let (name, rest) = rule.split_once('\n').unwrap();
        let expr = rest.trim_start().strip_prefix("expr: ").unwrap();
        (name, expr.lines().next().unwrap())
    });
    rules.collect()
}

/// The metrics of another system in the table of counterparts, with their labels.
fn theirs() -> Vec<(&'static str, Vec<&'static str>)> {
    let cells = PAGE.lines().filter_map(|line| {
        let (cell, _) = line.strip_prefix("| `")?.split_once("` |")?;
        cell.starts_with("jetstream_").then_some(cell)
    });
    let metrics = cells.map(|cell| {
        let (name, labels) = cell.split_once('{').unwrap_or((cell, "}"));
        let labels = labels.trim_end_matches('}').split(',');
        (name, labels.filter(|label| !label.is_empty()).collect())
    });
    metrics.collect()
}

#[tokio::test]
async fn every_rule_is_promql_over_names_that_are_exported() {
    let by_default = rendered(PrometheusBuilder::new()).await;
    let with_buckets = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap();
    let with_buckets = rendered(with_buckets).await;
    let mut exported = names_of_metrics(&by_default);
    exported.extend(names_of_metrics(&with_buckets));
    let rules = rules();
    assert_eq!(rules.len(), RECORDING.matches("expr:").count());
    for (record, expr) in rules {
        let names = names_in([expr]);
        let unknown: Vec<_> = names.difference(&exported).collect();
        assert!(
            unknown.is_empty(),
            "{record}: {unknown:?} are not among {exported:#?}"
        );
        let spreading = spreading_unknown(expr);
        assert!(spreading.is_empty(), "{record}: {spreading:?}");
    }
}

#[tokio::test]
async fn the_rules_have_the_names_and_labels_of_the_table() {
    let theirs = theirs();
    assert_eq!(theirs.len(), 3, "{theirs:?}");
    let rules = rules();
    let parts = ["_bucket", "_sum", "_count"];
    let recorded = rules.iter().map(|(record, _)| {
        let part = parts.iter().find_map(|part| record.strip_suffix(part));
        part.unwrap_or(record)
    });
    let recorded: BTreeSet<_> = recorded.collect();
    assert_eq!(recorded, theirs.iter().map(|(name, _)| *name).collect());

    let rendered = rendered(PrometheusBuilder::new()).await;
    for (name, labels) in theirs {
        let (_, expr) = rules.iter().find(|(record, _)| *record == name).unwrap();
        let of = names_in([expr]);
        let has = |label: &str| {
            let mut lines = rendered.lines();
            lines.any(|line| {
                let (metric, labels) = line.split_once('{').unwrap_or((line, ""));
                of.contains(metric) && labels.contains(&format!("{label}=\""))
            })
        };
        for label in labels {
            let is_made = expr.contains(&format!(", \"{label}\", \"$1\", "));
            assert!(is_made || has(label), "{expr} has no label {label}");
        }
    }
}

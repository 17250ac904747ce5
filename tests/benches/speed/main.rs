//! Benchmark: cost of the SDK in one process, each figure against a baseline.
//!
//! `cargo xtask bench speed` runs all, `cargo xtask bench speed -- encode flow`
//! some. The median of the rounds is printed, and the goal beside the ratio.

mod encode;
mod events;
mod fanout;
mod flow;
mod measure;
mod retention;

use measure::Row;

/// A group of measurements.
type Group = (&'static str, fn() -> Vec<Row>);

const GROUPS: &[Group] = &[
    ("encode", encode::run),
    ("flow", flow::run),
    ("retention", retention::run),
    ("fanout", fanout::run),
];

fn main() {
    // cargo passes `--bench`; what remains are names of groups.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let known = |name: &String| GROUPS.iter().any(|(group, _)| group == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "there is no group {unknown:?}; there are {}",
            names.join(", ")
        );
        std::process::exit(2);
    }
    println!("{}", Row::TITLE);
    println!("{}", Row::RULE);
    for (name, run) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            for row in run() {
                println!("{row}");
            }
        }
    }
}

//! Benchmark: the SDK over NATS against hand-written async-nats on the same server.
//!
//! `cargo xtask bench nats` runs all, `cargo xtask bench nats -- publish` some.

#[path = "../speed/events.rs"]
#[allow(
    dead_code,
    reason = "shared with the benchmarks of the memory transport"
)]
mod events;
#[path = "../speed/measure.rs"]
#[allow(
    dead_code,
    reason = "shared with the benchmarks of the memory transport"
)]
mod measure;

mod consume;
mod latency;
mod publish;
mod raw;
mod setting;

use measure::Row;
use setting::Setting;

/// A group of measurements.
type Group = (&'static str, fn(&Setting));

const GROUPS: &[Group] = &[
    ("publish", publish::run),
    ("consume", consume::run),
    ("latency", latency::run),
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
    let setting = Setting::new();
    println!("{}\n", setting.describe());
    println!("{}", Row::TITLE);
    println!("{}", Row::RULE);
    for (name, run) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run(&setting);
        }
    }
}

//! Benchmark: compile time of the derives in `cargo check`.
//!
//! `cargo xtask bench compile_time`. It generates small crates, checks them in
//! turn (so that a busy machine disturbs all alike), and prints the medians:
//!
//! - 200 structs plain, with serde derived, and with `Event` derived too: the
//!   derive should add less than serde's own share;
//! - an enum of 1,000 events from another crate, plain and as an `EventSet`: the
//!   checks, the table and all else that the derive writes should add less than
//!   a second.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const STRUCTS: usize = 200;
const MEMBERS: usize = 1_000;

fn main() {
    let rounds = rounds();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compile_time");
    generate(&dir, "common", &events(MEMBERS), false);
    let cases = [
        ("200 structs", structs(STRUCTS, ""), false),
        (
            "  with serde",
            structs(STRUCTS, "#[derive(Serialize, Deserialize)]"),
            false,
        ),
        (
            "  with serde and Event",
            structs(STRUCTS, "#[derive(Serialize, Deserialize, Event)]"),
            false,
        ),
        ("enum of 1,000 events", set(MEMBERS, ""), true),
        (
            "  as an EventSet",
            set(MEMBERS, "#[derive(EventSet)]"),
            true,
        ),
    ];
    for (index, (_, code, shared)) in cases.iter().enumerate() {
        let name = format!("case{index}");
        generate(&dir, &name, code, *shared);
        // Builds the dependencies, and warms the file cache.
        check(&dir, &name);
    }
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..rounds {
        for (index, times) in times.iter_mut().enumerate() {
            times.push(check(&dir, &format!("case{index}")));
        }
    }
    let medians: Vec<Cost> = times.iter().map(|times| Cost::median(times)).collect();
    println!("`cargo check` of one crate, the others checked already; median of {rounds}\n");
    println!("| | wall, ms | CPU, ms | goal |\n|---|---:|---:|---|");
    let row = |name: &str, cost: Cost, goal: &str| {
        println!(
            "| {name} | {} | {} | {goal} |",
            cost.wall.as_millis(),
            cost.cpu.as_millis()
        );
    };
    for ((name, ..), cost) in cases.iter().zip(&medians) {
        row(name, *cost, "");
    }
    let serde = medians[1].minus(medians[0]);
    let event = medians[2].minus(medians[1]);
    let set = medians[4].minus(medians[3]);
    row("serde's derives take", serde, "");
    row("`Event` adds", event, "less than serde's derives");
    row("`EventSet` adds", set, "less than 1,000 ms");
}

/// Five, or what `--rounds N` says.
fn rounds() -> usize {
    let mut args = std::env::args();
    args.find(|arg| arg == "--rounds")
        .and_then(|_| args.next())
        .and_then(|count| count.parse().ok())
        .unwrap_or(5)
}

/// What one check took: on the clock, and on all processors together.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// Zero where the system does not tell.
    cpu: Duration,
}

impl Cost {
    fn median(costs: &[Self]) -> Self {
        let middle = |time: fn(&Self) -> Duration| {
            let mut times: Vec<Duration> = costs.iter().map(time).collect();
            times.sort();
            times[times.len() / 2]
        };
        Self {
            wall: middle(|cost| cost.wall),
            cpu: middle(|cost| cost.cpu),
        }
    }

    fn minus(self, base: Self) -> Self {
        Self {
            wall: self.wall.saturating_sub(base.wall),
            cpu: self.cpu.saturating_sub(base.cpu),
        }
    }
}

/// `count` structs of six fields, under `derive`.
fn structs(count: usize, derive: &str) -> String {
    let mut code = String::from(HEAD);
    for index in 0..count {
        let attribute = if derive.contains("Event") {
            format!("#[event(domain = \"bench\", entity = \"item\", action = \"done{index}\")]\n")
        } else {
            String::new()
        };
        let key = if derive.contains("Event") {
            "#[event(key)] "
        } else {
            ""
        };
        let _ = write!(
            code,
            "/// Something of kind {index} was done.\n{derive}\n{attribute}pub struct Item{index} {{
    {key}pub id: u64, pub name: String, pub note: Option<String>, pub count: i32, pub share: f64, pub tags: Vec<String>,
}}\n\n"
        );
    }
    code
}

/// `count` events with one field.
fn events(count: usize) -> String {
    let mut code = String::from(HEAD);
    for index in 0..count {
        let _ = write!(
            code,
            "#[derive(Serialize, Deserialize, Event)]
#[event(domain = \"bench\", entity = \"item\", action = \"done{index}\")]
pub struct Item{index} {{ pub id: u64 }}\n\n"
        );
    }
    code
}

/// An enum of `count` events under `derive`.
fn set(count: usize, derive: &str) -> String {
    let mut code = String::from("use common::*;\n\n");
    if !derive.is_empty() {
        let _ = write!(
            code,
            "#[derive(event_sdk::EventSet)]\n#[event(pattern = \"bench.>\")]\n"
        );
    }
    code.push_str("pub enum Items {\n");
    for index in 0..count {
        let _ = writeln!(code, "    V{index}(Item{index}),");
    }
    code.push_str("}\n");
    code
}

const HEAD: &str = "#![allow(unused_imports)]
use event_sdk::Event;
use serde::{Deserialize, Serialize};\n\n";

/// Writes a crate; with `shared`, it depends on the crate `common`.
fn generate(dir: &Path, name: &str, code: &str, shared: bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests stand in the workspace");
    let krate = dir.join(name);
    std::fs::create_dir_all(krate.join("src")).expect("target is writable");
    let sdk = root.join("event-sdk/core");
    let shared = if shared {
        "common = { path = \"../common\" }\n"
    } else {
        ""
    };
    let manifest = format!(
        "[package]
name = \"{name}\"
version = \"0.0.0\"
edition = \"2024\"

[dependencies]
event_sdk = {{ package = \"event-sdk-core\", path = '{}' }}
serde = {{ version = \"1\", features = [\"derive\"] }}
{shared}
[workspace]
",
        sdk.display()
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).expect("target is writable");
    std::fs::copy(root.join("Cargo.lock"), krate.join("Cargo.lock")).expect("there is a lock file");
    std::fs::write(krate.join("src/lib.rs"), code).expect("target is writable");
}

/// Checks the crate of one case anew.
fn check(dir: &Path, name: &str) -> Cost {
    let krate = dir.join(name);
    let source = krate.join("src/lib.rs");
    let code = std::fs::read(&source).expect("it was generated");
    // A newer time stamp makes cargo check the crate again.
    std::fs::write(&source, code).expect("target is writable");
    let (started, cpu) = (Instant::now(), children_cpu());
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", dir.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(&krate)
        .output()
        .expect("cargo runs");
    let cost = Cost {
        wall: started.elapsed(),
        cpu: children_cpu().saturating_sub(cpu),
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    cost
}

/// The processor time of all children so far, where `/proc` tells.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses: cutime and cstime are the 14th and 15th
    // fields, in ticks of 10 ms.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_ascii_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}

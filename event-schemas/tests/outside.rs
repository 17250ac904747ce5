//! A fresh crate outside the workspace follows the README: three events, a five-line binary, a
//! breaking change.
//!
//! It is built into the workspace's own target folder under the same profile, so that what
//! it needs is there already. Only our crates are built once more, with the features that
//! it asks for. Its binary has a name of its own there: `cargo clean` removes what is made of a
//! package by name, and the examples have a binary `schemas` too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The binary of README.
const BINARY: &str = r#"use event_schemas::{Catalogue, Consumer, Service};
use shop::{OrderEvents, OrderPlaced};

fn main() -> std::process::ExitCode {
    let orders = Service::new("orders").publishes::<OrderEvents>();
    let billing = Service::new("billing").consumes(Consumer::of::<OrderPlaced>("billing"));
    event_schemas::cli::run(Catalogue::new("Shop").service(orders).service(billing))
}
"#;

const EVENTS: &str = r#"use event_sdk::{Event, EventSet, Pii};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub struct OrderPlaced {
    #[event(key)]
    pub id: u64,
    pub email: Pii<String>,
}

/// An order was paid.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub struct OrderPaid {
    #[event(key)]
    pub id: u64,
    pub cents: u64,
}

/// An order was sent.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub struct OrderSent {
    #[event(key)]
    pub id: u64,
}

/// What happens to orders.
#[derive(EventSet)]
pub enum OrderEvents {
    Placed(OrderPlaced),
    Paid(OrderPaid),
    Sent(OrderSent),
}
"#;

/// The event under its next major, and the one before as what it is converted from.
const PAID_V2: &str = r#"/// An order was paid.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderPaidV1)]
pub struct OrderPaid {
    #[event(key)]
    pub id: u64,
    pub amount: u64,
}

/// An order was paid, as it was.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", entity = "order", action = "paid")]
pub struct OrderPaidV1 {
    #[event(key)]
    pub id: u64,
    pub cents: u64,
}

impl From<OrderPaidV1> for OrderPaid {
    fn from(old: OrderPaidV1) -> Self {
        Self { id: old.id, amount: old.cents }
    }
}
"#;

/// The crate, and where what it needs is built.
struct Outside {
    dir: TempDir,
    target: PathBuf,
}

impl Outside {
    fn new() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let outside = Self {
            target: Path::new(env!("CARGO_TARGET_TMPDIR"))
                .parent()
                .unwrap()
                .to_owned(),
            dir: tempfile::tempdir().unwrap(),
        };
        outside.write("Cargo.toml", &manifest(workspace));
        outside.write("src/lib.rs", EVENTS);
        outside.write("src/bin/schemas.rs", BINARY);
        // The versions that are here already: nothing is looked up.
        let lock = outside.dir.path().join("Cargo.lock");
        fs::copy(workspace.join("Cargo.lock"), lock).unwrap();
        outside.build();
        outside
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    fn cargo(&self, command: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(command)
            .arg("--offline")
            .current_dir(self.dir.path())
            .env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Builds the binary. A change of the crate that does not compile is no finding.
    fn build(&self) {
        let build = self.cargo(&["build", "--quiet"]).output().unwrap();
        assert!(build.status.success(), "{}", text(&build));
    }

    /// Runs the binary, and answers its exit code and its output.
    fn schemas(&self, args: &[&str]) -> (i32, String) {
        self.schemas_in("", args)
    }

    /// Runs the binary in a folder of the crate.
    fn schemas_in(&self, folder: &str, args: &[&str]) -> (i32, String) {
        let mut run = self.cargo(&["run", "--quiet", "--bin", "shop-schemas"]);
        let manifest = self.dir.path().join("Cargo.toml");
        run.arg("--manifest-path").arg(manifest);
        run.current_dir(self.dir.path().join(folder));
        let output = run.arg("--").args(args).output().unwrap();
        (output.status.code().unwrap(), text(&output))
    }
}

impl Drop for Outside {
    /// Its next run has another folder, and would use nothing of this one's.
    fn drop(&mut self) {
        let _ = self
            .cargo(&["clean", "--quiet", "--package", "shop"])
            .status();
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

fn manifest(workspace: &Path) -> String {
    let path = |part: &str| workspace.join(part).to_str().unwrap().replace('\\', "/");
    format!(
        r#"[package]
name = "shop"
version = "0.1.0"
edition = "2024"
autobins = false

[[bin]]
name = "shop-schemas"
path = "src/bin/schemas.rs"

[dependencies]
event-schemas = {{ path = "{}", features = ["cli"] }}
event-sdk = {{ path = "{}", features = ["schemars"] }}
schemars = "1.2"
serde = {{ version = "1", features = ["derive"] }}

[profile.dev]
debug = "line-tables-only"

[workspace]
"#,
        path("event-schemas"),
        path("event-sdk")
    )
}

#[test]
fn a_breaking_change_is_found_and_gets_a_way_out() {
    let outside = Outside::new();
    let (code, text) = outside.schemas(&["generate"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("3 events in contracts: 8 files written"),
        "{text}"
    );
    let schema = outside.read("contracts/orders.order.placed/1.0.json");
    assert!(schema.contains("\"x-pii\": true"), "{schema}");
    let (code, text) = outside.schemas(&["check"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = outside.schemas(&["list", "--sources"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("3 events in 2 files"), "{text}");
    the_sources_are_those_of_the_folder(&outside);

    // A field gets another name: nobody who reads the old one can read it.
    outside.write("src/lib.rs", &EVENTS.replace("cents: u64", "amount: u64"));
    outside.build();
    let (code, text) = outside.schemas(&["check"]);
    assert_eq!(code, 1, "{text}");
    for part in [
        "error[required-added]: a property became required: `amount`",
        "--> contracts/orders.order.paid/1.0.json:",
        "orders.order.paid 1.0",
        "= why: ",
        r#"{"cents":0,"id":0}"#,
        "= help: ",
        "`OrderPaidV1`",
        "`version = \"2.0\", upcast_from = OrderPaidV1`",
    ] {
        assert!(unwrapped(&text).contains(part), "{part} is not in: {text}");
    }
    let (code, text) = outside.schemas(&["generate"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("Nothing was written."), "{text}");
    let unchanged = outside.read("contracts/orders.order.paid/1.0.json");
    assert!(unchanged.contains("cents"), "{unchanged}");

    // What the message says: the next major, and the old struct to be converted from.
    let at = EVENTS.find("/// An order was paid.").unwrap();
    let end = EVENTS.find("/// An order was sent.").unwrap();
    let events = [&EVENTS[..at], PAID_V2, "\n", &EVENTS[end..]].concat();
    outside.write("src/lib.rs", &events);
    outside.build();
    let (code, text) = outside.schemas(&["generate"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = outside.schemas(&["check"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("mitigated: the upcaster into OrderPaid reads it"),
        "{text}"
    );
}

/// `list --sources` without a path, in a package that is the root of a workspace too, in a
/// workspace that is no package, and in a folder that is neither.
fn the_sources_are_those_of_the_folder(outside: &Outside) {
    let lost = "#[derive(Event)] #[event(domain = \"orders\")] struct OrderLost { id: u64 }";
    let member = "[package]\nname = \"shop-lost\"\nedition = \"2024\"\n";
    outside.write("crates/lost/Cargo.toml", member);
    outside.write("crates/lost/src/lib.rs", lost);
    let manifest = outside.read("Cargo.toml");
    let members = "[workspace]\nmembers = [\"crates/*\"]\n";
    outside.write("Cargo.toml", &manifest.replace("[workspace]\n", members));
    let (code, text) = outside.schemas(&["list", "--sources"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("crates/lost/src/lib.rs:1: "), "{text}");
    assert!(text.contains("4 events in 3 files"), "{text}");

    let workspace = "[workspace]\nmembers = [\"first\", \"second\"]\n";
    outside.write("elsewhere/Cargo.toml", workspace);
    for name in ["first", "second"] {
        outside.write(&format!("elsewhere/{name}/Cargo.toml"), member);
        outside.write(&format!("elsewhere/{name}/src/lib.rs"), lost);
    }
    let (code, text) = outside.schemas_in("elsewhere", &["list", "--sources"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("first/src/lib.rs:1: "), "{text}");
    assert!(text.contains("2 events in 2 files"), "{text}");

    outside.write("nothing/README.md", "");
    let (code, text) = outside.schemas_in("nothing", &["list", "--sources"]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("there are no sources of a crate in this folder"),
        "{text}"
    );
    outside.write("Cargo.toml", &manifest);
}

/// The report without the line ends within its texts.
fn unwrapped(report: &str) -> String {
    report.split_whitespace().collect::<Vec<_>>().join(" ")
}

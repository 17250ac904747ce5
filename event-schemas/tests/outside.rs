//! A fresh crate outside the workspace: three events, a binary of five lines, and
//! what README says of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The crate, and where what it needs is built.
struct Outside {
    dir: TempDir,
    target: PathBuf,
}

impl Outside {
    fn new() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let outside = Self {
            target: workspace.join("target/outside"),
            dir,
        };
        outside.write("Cargo.toml", &manifest(workspace));
        outside.write("src/lib.rs", EVENTS);
        outside.write("src/bin/schemas.rs", BINARY);
        // The versions that are here already: nothing is looked up.
        fs::copy(
            workspace.join("Cargo.lock"),
            outside.dir.path().join("Cargo.lock"),
        )
        .unwrap();
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

    /// Runs the binary, and answers its exit code and its output.
    fn schemas(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--bin", "schemas", "--"])
            .args(args)
            .current_dir(self.dir.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }
}

fn manifest(workspace: &Path) -> String {
    let path = |part: &str| workspace.join(part).to_str().unwrap().replace('\\', "/");
    format!(
        r#"[package]
name = "shop"
version = "0.1.0"
edition = "2024"

[dependencies]
event-schemas = {{ path = "{}", features = ["cli"] }}
event-sdk = {{ path = "{}", features = ["schemars"] }}
schemars = "1.2"
serde = {{ version = "1", features = ["derive"] }}

[workspace]
"#,
        path("event-schemas"),
        path("event-sdk")
    )
}

#[test]
fn it_behaves_as_readme_says() {
    let outside = Outside::new();
    let (code, text) = outside.schemas(&["generate"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("3 events in contracts: 8 files written"),
        "{text}"
    );
    let schema = outside.read("contracts/orders.order.placed/1.0.json");
    assert!(schema.contains("\"x-pii\": true"), "{schema}");

    assert_eq!(outside.schemas(&["generate", "--check"]).0, 0);
    let (code, text) = outside.schemas(&["list", "--sources"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("3 events in 2 files"), "{text}");

    // A field gets another name: nobody who reads the old one can read it.
    outside.write("src/lib.rs", &EVENTS.replace("cents: u64", "amount: u64"));
    for command in [&["generate", "--check"][..], &["generate"]] {
        let (code, text) = outside.schemas(command);
        assert_eq!(code, 1, "{text}");
        for part in ["orders.order.paid 1.0", "`1.1`", "`2.0` with `upcast_from`"] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
    let unchanged = outside.read("contracts/orders.order.paid/1.0.json");
    assert!(unchanged.contains("cents"), "{unchanged}");
}

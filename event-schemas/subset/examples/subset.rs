//! Compares two schemas given as JSON and prints the result.
//!
//! ```sh
//! cargo run -p event-schemas-subset --example subset -- '{"type": "number"}' '{"type": "integer"}'
//! ```

use event_schemas_subset::{Schema, compare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sub, sup] = arguments.as_slice() else {
        return Err("two schemas are asked for".into());
    };
    let sub = Schema::parse(&serde_json::from_str(sub)?)?;
    let sup = Schema::parse(&serde_json::from_str(sup)?)?;
    let comparison = compare(&sub, &sup);
    println!("{:?}", comparison.verdict());
    for found in comparison.breaks() {
        println!(
            "{} {}: {}\n    {}",
            found.path, found.rule, found.why, found.document
        );
    }
    for unknown in comparison.unknowns() {
        println!("{} unknown: {}", unknown.path, unknown.why);
    }
    Ok(())
}

//! Prints random pairs of schemas, a line of JSON each, with the verdict on them: what
//! `tests/differential.py` holds against another checker.
//!
//! ```sh
//! cargo run -p event-schemas-subset --example pairs -- 5000 | python3 tests/differential.py
//! ```

#[path = "../tests/oracle/edits.rs"]
mod edits;
#[path = "../tests/oracle/schemas.rs"]
mod schemas;

use std::io::Write as _;

use event_schemas_subset::{Schema, compare};
use fastrand::Rng;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pairs: u64 = std::env::args()
        .nth(1)
        .unwrap_or("1000".to_owned())
        .parse()?;
    let mut out = std::io::stdout().lock();
    for seed in 0..pairs {
        let mut rng = Rng::with_seed(seed);
        let draft7 = rng.u8(..) < 48;
        let sub = schemas::schema(&mut rng, draft7);
        let mut sup = sub.clone();
        edits::edit(&mut rng, &mut sup, draft7);
        let (sub, sup) = if rng.bool() { (sub, sup) } else { (sup, sub) };
        let (Ok(written), Ok(read)) = (Schema::parse(&sub), Schema::parse(&sup)) else {
            continue;
        };
        let comparison = compare(&written, &read);
        let document = comparison.breaks().first().map(|found| &found.document);
        let verdict = format!("{:?}", comparison.verdict());
        let line = json!({ "sub": sub, "sup": sup, "verdict": verdict, "document": document });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

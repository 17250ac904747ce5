//! The `schemas` command line for the events of the examples: `cargo xtask schemas`.

use std::process::ExitCode;

fn main() -> ExitCode {
    event_schemas::cli::run(event_sdk_examples::catalogue::catalogue())
}

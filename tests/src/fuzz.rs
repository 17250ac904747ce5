//! Fuzz targets: readers of what others write, each with inputs to begin with.
//!
//! A target is given bytes, and fails if a reader panics or contradicts itself. The same targets run
//! in the CI and by `cargo xtask long fuzz` with the [mutations](mutation) of this module, and with
//! libFuzzer by the package in `tests/fuzz`.

mod configuration;
mod envelopes;
mod frames;
mod headers;
pub mod mutation;
mod schemas;
mod subjects;

/// A reader under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, that of the file in `tests/fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Reads the input; a panic is a defect.
    pub run: fn(&[u8]),
    /// Inputs that are valid, or nearly so.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 6] = [ENVELOPES, FRAMES, HEADERS, SUBJECTS, SCHEMAS, CONFIGURATION];

/// Bodies of messages.
pub const ENVELOPES: Target = Target {
    name: "envelopes",
    run: envelopes::run,
    seeds: envelopes::seeds,
};

/// What a NATS server says.
pub const FRAMES: Target = Target {
    name: "frames",
    run: frames::run,
    seeds: frames::seeds,
};

/// Header names and values, blocks of headers, trace contexts.
pub const HEADERS: Target = Target {
    name: "headers",
    run: headers::run,
    seeds: headers::seeds,
};

/// Subjects, patterns, keys and versions.
pub const SUBJECTS: Target = Target {
    name: "subjects",
    run: subjects::run,
    seeds: subjects::seeds,
};

/// The files in a folder of contracts.
pub const SCHEMAS: Target = Target {
    name: "schemas",
    run: schemas::run,
    seeds: schemas::seeds,
};

/// Server URLs, credentials, declarations of streams, and the settings of a check.
pub const CONFIGURATION: Target = Target {
    name: "configuration",
    run: configuration::run,
    seeds: configuration::seeds,
};

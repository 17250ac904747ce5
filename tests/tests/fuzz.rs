//! The fuzz targets with some thousands of random inputs each.
//!
//! `FUZZ_INPUTS` sets how many, `FUZZ_SEED` the seed. `cargo xtask long fuzz` gives each a million.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use event_sdk_tests::fuzz::{
    CONFIGURATION, ENVELOPES, FRAMES, HEADERS, SCHEMAS, SUBJECTS, TARGETS, Target, mutation,
};
use fastrand::Rng;

/// Each input has a seed of its own, which a failure prints with the input.
fn fuzz(target: Target) {
    let inputs = number("FUZZ_INPUTS").unwrap_or(5_000);
    let first = number("FUZZ_SEED").unwrap_or(1);
    let seeds = (target.seeds)();
    for seed in &seeds {
        read(target, seed, "a seed");
    }
    for number in 0..inputs {
        let seed = first.wrapping_add(number);
        let input = mutation::mutate(&seeds, &mut Rng::with_seed(seed));
        read(target, &input, &format!("FUZZ_SEED={seed}"));
    }
    println!("{}: {inputs} inputs", target.name);
}

fn read(target: Target, input: &[u8], which: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(
        outcome.is_ok(),
        "{} panics on {which}: {:?}",
        target.name,
        String::from_utf8_lossy(input)
    );
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")),
    )
}

#[test]
fn envelopes() {
    fuzz(ENVELOPES);
}

#[test]
fn frames() {
    fuzz(FRAMES);
}

#[test]
fn headers() {
    fuzz(HEADERS);
}

#[test]
fn subjects() {
    fuzz(SUBJECTS);
}

#[test]
fn schemas() {
    fuzz(SCHEMAS);
}

#[test]
fn configuration() {
    fuzz(CONFIGURATION);
}

/// Every target is run above, and has a program for libFuzzer.
#[test]
fn each_target_has_a_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets");
    let mut programs: Vec<_> = std::fs::read_dir(folder)
        .expect("there is a folder of programs")
        .map(|entry| entry.expect("it can be listed").file_name())
        .collect();
    programs.sort();
    let mut names: Vec<_> = TARGETS
        .iter()
        .map(|target| OsString::from(format!("{}.rs", target.name)))
        .collect();
    names.sort();
    assert_eq!(programs, names);
}

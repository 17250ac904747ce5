//! libFuzzer on `event_sdk_tests::fuzz::FRAMES`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (event_sdk_tests::fuzz::FRAMES.run)(input));

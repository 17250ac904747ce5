//! libFuzzer on `event_sdk_tests::fuzz::SCHEMAS`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (event_sdk_tests::fuzz::SCHEMAS.run)(input));

//! libFuzzer on `event_sdk_tests::fuzz::SUBJECTS`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (event_sdk_tests::fuzz::SUBJECTS.run)(input));

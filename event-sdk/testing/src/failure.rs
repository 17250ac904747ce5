//! Fails a test with a text, and lists recorded events.

use crate::recorder::Record;

/// Fails the test. The text is the message of the panic.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "an assertion of a test fails by a panic, as `assert!` does"
)]
pub(crate) fn fail(text: &str) -> ! {
    panic!("{text}")
}

/// The records, one a line, indented. Of very many the first and last.
pub(crate) fn listing<'a>(records: impl ExactSizeIterator<Item = &'a Record>) -> String {
    const SHOWN: usize = 40;
    let count = records.len();
    let mut lines = Vec::new();
    for (place, record) in records.enumerate() {
        if count <= SHOWN || place < SHOWN / 2 || place >= count - SHOWN / 2 {
            lines.push(format!("  {record}"));
        } else if place == SHOWN / 2 {
            lines.push(format!("  … {} more", count - SHOWN));
        }
    }
    lines.join("\n")
}

//! Test support: a row of the table of cases.

use event_schemas_subset::Verdict;
use serde_json::Value;

/// One row of the table.
pub(crate) struct Row {
    pub(crate) sub: Value,
    pub(crate) sup: Value,
    pub(crate) verdict: Verdict,
    /// Rule and path of each break, in the order of their paths.
    pub(crate) breaks: &'static [(&'static str, &'static str)],
    pub(crate) line: u32,
}

/// Makes the rows of a table.
macro_rules! table {
    ($($sub:tt <= $sup:tt => $verdict:tt $(($rule:literal @ $path:literal))*;)*) => {
        pub(crate) fn rows() -> Vec<crate::Row> {
            vec![$(crate::Row {
                sub: serde_json::json!($sub),
                sup: serde_json::json!($sup),
                verdict: crate::table!(@ $verdict),
                breaks: &[$(($rule, $path)),*],
                line: line!(),
            }),*]
        }
    };
    (@ contained) => { event_schemas_subset::Verdict::Contained };
    (@ broken) => { event_schemas_subset::Verdict::Broken };
    (@ unknown) => { event_schemas_subset::Verdict::Unknown };
}
pub(crate) use table;

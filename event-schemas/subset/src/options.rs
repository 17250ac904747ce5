//! `Options`: how many steps and breaks a comparison may take.

/// How much work a comparison may be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How many steps of the proof search may be taken before the answer is
    /// [`Verdict::Unknown`](crate::Verdict::Unknown).
    pub steps: u64,
    /// How many breaks are looked for at most.
    pub breaks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            steps: 100_000,
            breaks: 1_000,
        }
    }
}

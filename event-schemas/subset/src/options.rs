//! `Options`: how many steps and breaks a comparison may take.

/// Limits for the work of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The maximum number of steps of the proof search. If it is reached, the answer is
    /// [`Verdict::Unknown`](crate::Verdict::Unknown).
    pub steps: u64,
    /// The maximum number of breaks that are searched for.
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

//! `Report`: the verdict of each case.

use std::fmt;
use std::time::Duration;

use crate::{Case, Need};

/// The results of a run of the suite.
///
/// `Display` shows failed cases, and cases that the store need not pass; the alternate form
/// (`{:#}`) also shows passed cases.
#[derive(Debug, Clone)]
pub struct Report {
    pub(crate) results: Vec<CaseResult>,
    pub(crate) elapsed: Duration,
}

/// The result of a case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its duration.
    pub elapsed: Duration,
}

/// The verdict of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The store keeps the guarantee.
    Passed,
    /// The store lacks what the guarantee needs, as its harness says and a check has shown.
    Lacking(Need),
    /// The store breaks the guarantee, with this reason.
    Failed(String),
}

impl Report {
    /// The results of all cases, in the order of the suite.
    #[must_use]
    pub fn results(&self) -> &[CaseResult] {
        &self.results
    }

    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CaseResult> {
        let results = self.results.iter();
        results.filter(|result| matches!(result.verdict, Verdict::Failed(_)))
    }

    /// The cases whose needs the store lacks.
    pub fn lacking(&self) -> impl Iterator<Item = &CaseResult> {
        let results = self.results.iter();
        results.filter(|result| matches!(result.verdict, Verdict::Lacking(_)))
    }

    /// Asserts that no case failed.
    ///
    /// # Panics
    ///
    /// Panics with the report if a case failed.
    #[track_caller]
    pub fn assert_all_passed(&self) {
        assert!(self.failed().next().is_none(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, lacking) = (self.failed().count(), self.lacking().count());
        let all = self.results.len();
        writeln!(
            f,
            "conformance of the store: {} passed, {lacking} lacking as declared, {failed} failed of \
             {all} cases in {:.1?}",
            all - failed - lacking,
            self.elapsed,
        )?;
        for result in &self.results {
            if f.alternate() || result.verdict != Verdict::Passed {
                writeln!(f, "{result}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (case, elapsed) = (self.case, self.elapsed);
        match &self.verdict {
            Verdict::Passed => write!(f, "  passed   {case} in {elapsed:.1?}"),
            Verdict::Lacking(need) => write!(f, "  lacking  {case}: {need:?}"),
            Verdict::Failed(why) => write!(
                f,
                "  FAILED   {case} in {elapsed:.1?}\n    promised: {}\n    found: {why}",
                case.promise
            ),
        }
    }
}

//! `Report`: the verdict of each case (passed, failed, unsupported).

use std::fmt;
use std::time::Duration;

use super::Case;
use event_sdk_core::transport::Capability;

/// The results of a run of the suite.
///
/// `Display` shows failed and unsupported cases; its alternate form (`{:#}`) also shows passed
/// ones.
#[derive(Debug, Clone)]
pub struct Report {
    pub(super) transport: String,
    pub(super) results: Vec<CaseResult>,
    pub(super) elapsed: Duration,
}

/// The result of a case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// The verdict of the case.
    pub verdict: Verdict,
    /// How long the case ran.
    pub elapsed: Duration,
}

/// The verdict of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The transport keeps the guarantee.
    Passed,
    /// The transport does not declare these capabilities, and returned `Unsupported` as expected.
    Unsupported(Vec<Capability>),
    /// The transport breaks the guarantee, with this reason.
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
        self.results
            .iter()
            .filter(|result| matches!(result.verdict, Verdict::Failed(_)))
    }

    /// The unsupported cases.
    pub fn unsupported(&self) -> impl Iterator<Item = &CaseResult> {
        self.results
            .iter()
            .filter(|result| matches!(result.verdict, Verdict::Unsupported(_)))
    }

    /// The result of the case with this name, if the case was run.
    #[must_use]
    pub fn result(&self, name: &str) -> Option<&CaseResult> {
        self.results.iter().find(|result| result.case.name == name)
    }

    /// The duration of the run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
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
        let (failed, unsupported) = (self.failed().count(), self.unsupported().count());
        writeln!(
            f,
            "conformance of {}: {} passed, {unsupported} unsupported as declared, {failed} failed of {} cases in {:.1?}",
            self.transport,
            self.results.len() - failed - unsupported,
            self.results.len(),
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
            Verdict::Passed => write!(f, "  passed       {case} in {elapsed:.1?}"),
            Verdict::Unsupported(missing) => {
                write!(f, "  unsupported  {case}: ")?;
                for (index, capability) in missing.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{capability}")?;
                }
                Ok(())
            }
            Verdict::Failed(why) => write!(
                f,
                "  FAILED       {case} in {elapsed:.1?}\n    promised: {}\n    found: {why}",
                case.promise
            ),
        }
    }
}

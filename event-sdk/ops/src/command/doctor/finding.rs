//! `Findings`: what is wrong. Each finding has a code, the thing that is wrong, the reason, and
//! what to do.

use serde::Serialize;

use super::code::{Code, Severity};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    /// What it is about: `stream ORDERS`.
    pub(crate) thing: String,
    /// What is wrong with it, as the rest of the sentence.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) remedy: String,
}

/// All of them, without repetitions.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one, unless it is known of that thing already.
    pub(super) fn add(
        &mut self,
        code: Code,
        thing: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let thing = thing.into();
        let mut known = self.0.iter();
        if known.any(|finding| finding.code == code && finding.thing == thing) {
            return;
        }
        self.0.push(Finding {
            severity: code.severity(),
            code,
            thing,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    /// The worst first.
    pub(super) fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.severity);
        self.0
    }
}

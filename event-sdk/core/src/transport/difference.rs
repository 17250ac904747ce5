//! `Difference`: one setting whose existing value differs from the wanted one.

use std::fmt;

use crate::shown::Shown;
use crate::subject::Pattern;

/// A setting of an existing consumer or stream that differs from the requested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the setting.
    pub field: &'static str,
    /// Existing value.
    pub existing: String,
    /// Requested value.
    pub wanted: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}, wanted {}",
            self.field,
            Shown(&self.existing, 500),
            Shown(&self.wanted, 500)
        )
    }
}

/// Writes what an update has changed.
pub(super) fn write_changes(f: &mut fmt::Formatter<'_>, differences: &[Difference]) -> fmt::Result {
    f.write_str("updated")?;
    for (index, difference) in differences.iter().enumerate() {
        let Difference {
            field,
            existing,
            wanted,
        } = difference;
        let before = if index == 0 { ": " } else { "; " };
        let (existing, wanted) = (Shown(existing, 500), Shown(wanted, 500));
        write!(f, "{before}{field} from {existing} to {wanted}")?;
    }
    Ok(())
}

/// A limit, as differences show it: its value, or `no limit`.
pub(super) struct Limit<'a, T>(pub(super) &'a Option<T>);

impl<T: fmt::Debug> fmt::Debug for Limit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(limit) => limit.fmt(f),
            None => f.write_str("no limit"),
        }
    }
}

/// Differences, as they are found.
#[derive(Debug, Default)]
pub(super) struct Differences(Vec<Difference>);

impl Differences {
    /// Notes a difference, if there is one.
    pub(super) fn compare(
        &mut self,
        field: &'static str,
        existing: &dyn fmt::Debug,
        wanted: &dyn fmt::Debug,
    ) {
        let (existing, wanted) = (format!("{existing:?}"), format!("{wanted:?}"));
        if existing != wanted {
            self.0.push(Difference {
                field,
                existing,
                wanted,
            });
        }
    }

    pub(super) fn into_found(self) -> Vec<Difference> {
        self.0
    }
}

/// The patterns in an order of their own: that in which they were listed is no
/// difference.
pub(super) fn sorted(patterns: &[Pattern]) -> Vec<Pattern> {
    let mut patterns = patterns.to_vec();
    patterns.sort();
    patterns
}

//! `RetentionTier`: named maximum ages of streams.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A maximum age of events by name.
///
/// ```
/// use event_sdk_topology::RetentionTier;
///
/// assert_eq!("medium".parse(), Ok(RetentionTier::Medium));
/// assert_eq!(RetentionTier::Medium.to_string(), "medium (30 days)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RetentionTier {
    /// 7 days: operational events.
    Short,
    /// 30 days: compliance, clearing, risk.
    Medium,
    /// 90 days: settlement and reporting.
    Long,
    /// 180 days: the audit trail.
    Extended,
}

impl RetentionTier {
    /// All tiers, the shortest first.
    pub const ALL: [Self; 4] = [Self::Short, Self::Medium, Self::Long, Self::Extended];

    /// The maximum age, for [`StreamSpec::max_age`](event_sdk::stream::StreamSpec::max_age).
    #[must_use]
    pub const fn max_age(self) -> Duration {
        Duration::from_secs(self.days() * 24 * 60 * 60)
    }

    /// The maximum age in days.
    #[must_use]
    pub const fn days(self) -> u64 {
        match self {
            Self::Short => 7,
            Self::Medium => 30,
            Self::Long => 90,
            Self::Extended => 180,
        }
    }

    /// The name, which is also what is parsed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
            Self::Extended => "extended",
        }
    }
}

impl fmt::Display for RetentionTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} days)", self.name(), self.days())
    }
}

impl FromStr for RetentionTier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, UnknownTier> {
        let mut tiers = Self::ALL.into_iter();
        tiers.find(|tier| tier.name() == name).ok_or(UnknownTier)
    }
}

/// The error that no [`RetentionTier`] has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownTier;

impl fmt::Display for UnknownTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it names no retention tier; use short, medium, long or extended")
    }
}

impl std::error::Error for UnknownTier {}

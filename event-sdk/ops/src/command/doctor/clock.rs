//! Compares the clock of a server with the clock of this machine.

use std::time::Duration;

use jiff::Timestamp;

use super::code::Code;
use super::finding::Findings;

/// What clocks may differ without harm: leases and the lag in seconds count in seconds.
const TOLERATED: Duration = Duration::from_secs(2);

/// Compares the time in an answer of a server with the time at which it was asked. `took` is how long
/// the answer took, in which the server may have read its clock at any moment.
pub(super) fn compare(
    thing: &str,
    server: Timestamp,
    asked: Timestamp,
    took: Duration,
    findings: &mut Findings,
) {
    let ahead = server.duration_since(asked);
    let took = jiff::SignedDuration::try_from(took).unwrap_or(jiff::SignedDuration::MAX);
    let tolerated = jiff::SignedDuration::try_from(TOLERATED).unwrap_or_default();
    // Between `asked` and `asked + took` nothing differs.
    let off = if ahead.is_negative() {
        ahead
    } else {
        ahead.saturating_sub(took).max(jiff::SignedDuration::ZERO)
    };
    if off.abs() <= tolerated {
        return;
    }
    let direction = if off.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    findings.add(
        Code::ClockSkew,
        format!("clock of the {thing}"),
        format!(
            "is {:.1} s {direction} that of this machine: ages, the lag in seconds, schedules and leases are wrong by that",
            off.abs().as_secs_f64()
        ),
        "synchronize the clocks of both machines with NTP",
    );
}

//! `Waiver`: accepts a finding until a date, with a reason.

use event_sdk::envelope::Version;
use jiff::civil::Date;

use super::{EventRule, Finding, Rule, Severity, Waived};

/// Accepts a known finding until a given day, so that the finding does not fail the check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiver {
    /// The subject of the event.
    pub event: String,
    /// The rule.
    pub rule: Rule,
    /// The field of the findings; if absent, the waiver matches every field, and findings without a
    /// field.
    pub path: Option<String>,
    /// The code's version in the findings; if absent, the waiver matches every version.
    pub version: Option<Version>,
    /// Why the finding is accepted.
    pub reason: String,
    /// The last day on which the waiver applies.
    pub expires: Date,
    /// The line of the waiver in its [file](Self::FILE), counted from 1.
    pub line: usize,
}

impl Waiver {
    /// The name of the file with the waivers, in the folder of the contracts.
    pub const FILE: &'static str = "check.toml";
}

/// Marks each finding that a waiver matches as waived. Adds an error for each expired waiver, and a
/// warning for each waiver that matches no finding.
///
/// `file` is the file of the waivers, relative to the folder of the contracts.
pub fn apply_waivers(findings: &mut Vec<Finding>, waivers: &[Waiver], today: Date, file: &str) {
    let mut of_waivers = Vec::new();
    for waiver in waivers {
        let mut fits = 0;
        for finding in findings.iter_mut().filter(|finding| waiver.fits(finding)) {
            fits += 1;
            if waiver.holds_on(today) {
                finding.waived(Waived {
                    reason: waiver.reason.clone(),
                    until: waiver.expires,
                });
            }
        }
        if !waiver.holds_on(today) {
            of_waivers.push(waiver.expired(fits).at(file, Some(waiver.line)));
        } else if fits == 0 {
            of_waivers.push(waiver.unused().at(file, Some(waiver.line)));
        }
    }
    findings.append(&mut of_waivers);
}

impl Waiver {
    fn holds_on(&self, day: Date) -> bool {
        day <= self.expires
    }

    /// Whether it is about a finding that counts.
    fn fits(&self, finding: &Finding) -> bool {
        let counts = finding.severity != Severity::Note || finding.waiver.is_some();
        let path = self.path.as_ref();
        counts
            && finding.rule == self.rule
            && finding.event.as_ref() == Some(&self.event)
            && path.is_none_or(|path| finding.path.as_ref() == Some(path))
            && self.version.is_none_or(|version| {
                finding
                    .versions
                    .is_some_and(|versions| versions.new == version)
            })
    }

    fn expired(&self, fits: usize) -> Finding {
        let Self {
            rule,
            event,
            expires,
            reason,
            ..
        } = self;
        let why = format!(
            "The waiver of {rule} for {event} ended on {expires}; its reason was: {reason}."
        );
        let finding = Finding::new(EventRule::WaiverExpired, why).about(event);
        if fits == 0 {
            finding.way_out("delete it: nothing needs it any more")
        } else {
            finding
                .way_out("put right what it waived, which is reported here again, and delete it")
                .way_out("give it another day, if there is a reason to")
        }
    }

    fn unused(&self) -> Finding {
        let Self { rule, event, .. } = self;
        let at = match &self.path {
            Some(path) => format!(" at `{path}`"),
            None => String::new(),
        };
        let why = format!("The waiver of {rule} for {event}{at} waives nothing.");
        Finding::new(EventRule::WaiverUnused, why)
            .about(event)
            .way_out("delete it, or put its event, rule and path right")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const FILE: &str = "check.toml";

    fn waiver() -> Waiver {
        Waiver {
            event: "orders.order.placed".to_owned(),
            rule: EventRule::TypeChanged.into(),
            path: None,
            version: None,
            reason: "nobody consumes it yet".to_owned(),
            expires: date(2026, 12, 31),
            line: 3,
        }
    }

    fn finding() -> Finding {
        Finding::new(EventRule::TypeChanged, "…").about("orders.order.placed")
    }

    fn applied(finding: Finding, waiver: Waiver, today: Date) -> Vec<Finding> {
        let mut findings = vec![finding];
        apply_waivers(&mut findings, &[waiver], today, FILE);
        findings
    }

    #[test]
    fn a_waiver_lets_its_finding_pass_up_to_and_on_its_last_day() {
        let findings = applied(finding(), waiver(), date(2026, 12, 31));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Note);
        assert_eq!(
            findings[0].waiver.as_ref().unwrap().reason,
            "nobody consumes it yet"
        );
    }

    #[test]
    fn an_expired_waiver_is_an_error_beside_what_it_waived() {
        let findings = applied(finding(), waiver(), date(2027, 1, 1));
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity == Severity::Error)
        );
        assert_eq!(findings[1].rule, EventRule::WaiverExpired.into());
        assert!(findings[1].why.contains("ended on 2026-12-31"));
        assert_eq!(findings[1].place.as_ref().unwrap().line, Some(3));
        let alone = applied(
            Finding::new(EventRule::KeyChanged, "…"),
            waiver(),
            date(2027, 1, 1),
        );
        assert!(alone[1].ways_out[0].contains("delete it"));
    }

    #[test]
    fn a_waiver_is_about_one_event_rule_path_and_version() {
        let today = date(2026, 1, 1);
        let other_event = Finding::new(EventRule::TypeChanged, "…").about("other");
        let other_rule = Finding::new(EventRule::KeyChanged, "…").about("orders.order.placed");
        let on_path = Waiver {
            path: Some("id".to_owned()),
            ..waiver()
        };
        let of_version = Waiver {
            version: Some(Version::new(9, 0)),
            ..waiver()
        };
        for (finding, waiver) in [
            (other_event, waiver()),
            (other_rule, waiver()),
            (finding(), on_path.clone()),
            (finding(), of_version),
        ] {
            let findings = applied(finding, waiver, today);
            assert_eq!(findings[0].severity, Severity::Error);
            assert_eq!(findings[1].rule, EventRule::WaiverUnused.into());
            assert_eq!(findings[1].severity, Severity::Warning);
        }
        assert!(
            applied(finding().field("id"), on_path, today)[0]
                .waiver
                .is_some()
        );
    }
}

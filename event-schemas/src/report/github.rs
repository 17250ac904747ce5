//! GitHub annotations: workflow commands that show findings beside the lines of a change.
//!
//! Line ends, and the characters that separate properties, are written as the percent-escapes that
//! GitHub defines (`actions/toolkit`, `command.ts`).

use std::fmt::Write as _;

use super::{Report, headline};
use crate::compat::Finding;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        command(report, finding, &mut text);
    }
    text
}

fn command(report: &Report, finding: &Finding, text: &mut String) {
    let command = match finding.severity.name() {
        "note" => "notice",
        other => other,
    };
    let title = format!("{}: {}", finding.rule.id(), headline(finding));
    let _ = write!(text, "::{command} ");
    if let Some(place) = &finding.place {
        let file = report.file_in_repository(Some(place));
        let _ = write!(text, "file={},", property(&file));
        if let Some(line) = place.line {
            let _ = write!(text, "line={line},");
        }
    }
    let _ = writeln!(
        text,
        "title={}::{}",
        property(&title),
        data(&message(finding))
    );
}

fn message(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(event) = &finding.event {
        text.push_str(event);
        if let Some(versions) = finding.versions {
            let _ = write!(text, " {versions}");
        }
        text.push('\n');
    }
    text.push_str(&finding.why);
    if let Some(document) = &finding.document {
        let _ = write!(text, "\n{}: {}", document.what, document.data);
    }
    if let Some(mitigation) = &finding.mitigation {
        let _ = write!(text, "\nMitigated: {mitigation}.");
    }
    if let Some(waiver) = &finding.waiver {
        let _ = write!(text, "\nWaived until {}: {}", waiver.until, waiver.reason);
        return text;
    }
    for way in &finding.ways_out {
        let _ = write!(text, "\nWay out: {way}");
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100 %: a,\r\nb"), "100 %25: a,%0D%0Ab");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}

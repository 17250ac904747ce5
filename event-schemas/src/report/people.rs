//! The text report in the manner of rustc: finding, place, reason and help.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, headline};
use crate::compat::{EventRule, Finding, Rule, Severity, Verdict, Waiver};

/// The width to which texts are broken.
const WIDTH: usize = 96;

/// How many lines of a document are shown.
const DOCUMENT_LINES: usize = 24;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let (told, noted): (Vec<_>, Vec<_>) = report
        .findings
        .iter()
        .partition(|finding| finding.severity != Severity::Note);
    let mut said = BTreeSet::new();
    for finding in &told {
        in_full(report, finding, &mut said, &mut text);
    }
    for finding in &noted {
        in_short(finding, &mut text);
    }
    if !noted.is_empty() {
        text.push('\n');
    }
    if let Some(finding) = told.iter().find(|one| is_worth_a_waiver(one)) {
        hints(report, finding, &mut text);
    }
    summary(report, &mut text);
    text
}

/// A way out that holds for several fields of an event is said with the first of them.
fn in_full<'a>(
    report: &Report,
    finding: &'a Finding,
    said: &mut BTreeSet<(&'a Option<String>, &'a str)>,
    text: &mut String,
) {
    let style = style(finding.severity);
    let rule = finding.rule.id();
    let name = finding.severity.name();
    let bold = Style::new().bold();
    let title = headline(finding);
    let _ = writeln!(
        text,
        "{style}{name}[{rule}]{style:#}{bold}: {title}{bold:#}"
    );
    let blue = AnsiColor::BrightBlue.on_default().bold();
    if let Some(place) = &finding.place {
        let file = report.file_of(place);
        let line = place
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let _ = writeln!(text, "  {blue}-->{blue:#} {file}{line}");
    }
    if let Some(event) = &finding.event {
        let versions = finding
            .versions
            .map(|versions| format!(" {versions}"))
            .unwrap_or_default();
        let _ = writeln!(text, "   {blue}|{blue:#} {event}{versions}");
    }
    part("why", &finding.why, text);
    if let Some(document) = &finding.document {
        let _ = writeln!(
            text,
            "   {blue}={blue:#} {bold}document{bold:#}: {}",
            document.what
        );
        let json = shown(&document.data);
        for line in json.lines() {
            let _ = writeln!(text, "       {line}");
        }
    }
    for way in &finding.ways_out {
        if said.insert((&finding.event, way)) {
            part("help", way, text);
        }
    }
    text.push('\n');
}

/// `= name: text`, broken into lines under one another.
fn part(name: &str, said: &str, text: &mut String) {
    let blue = AnsiColor::BrightBlue.on_default().bold();
    let bold = Style::new().bold();
    let indent = " ".repeat(name.len() + 7);
    let width = WIDTH - indent.len();
    for (index, line) in textwrap::wrap(said, width).iter().enumerate() {
        let _ = if index == 0 {
            writeln!(text, "   {blue}={blue:#} {bold}{name}{bold:#}: {line}")
        } else {
            writeln!(text, "{indent}{line}")
        };
    }
}

/// The document on one line if it is short, else over several.
fn shown(data: &serde_json::Value) -> String {
    let short = data.to_string();
    if short.chars().count() <= WIDTH - 8 {
        return short;
    }
    let long = format!("{data:#}");
    let lines: Vec<_> = long.lines().collect();
    match lines.len().checked_sub(DOCUMENT_LINES) {
        None | Some(0) => long,
        Some(more) => format!(
            "{}\n… {more} more lines; `--format json` has all of it",
            lines[..DOCUMENT_LINES].join("\n")
        ),
    }
}

/// One line for what is mitigated or waived.
fn in_short(finding: &Finding, text: &mut String) {
    let style = style(finding.severity);
    let rule = finding.rule.id();
    let _ = write!(text, "{style}note[{rule}]{style:#}:");
    if let Some(event) = &finding.event {
        let _ = write!(text, " {event}");
    }
    if let Some(versions) = finding.versions {
        let _ = write!(text, " {versions}");
    }
    if let Some(path) = &finding.path {
        let _ = write!(text, ", `{path}`");
    }
    if let Some(waiver) = &finding.waiver {
        let _ = write!(text, "; waived until {}: {}", waiver.until, waiver.reason);
    } else if let Some(mitigation) = &finding.mitigation {
        let _ = write!(text, "; mitigated: {mitigation}");
    }
    text.push('\n');
}

fn is_worth_a_waiver(finding: &Finding) -> bool {
    let own = matches!(
        finding.rule,
        Rule::Event(EventRule::WaiverExpired | EventRule::WaiverUnused)
    );
    finding.rule.is_waivable() && finding.event.is_some() && !own
}

/// What helps with any of them, by the example of one.
fn hints(report: &Report, finding: &Finding, text: &mut String) {
    let green = AnsiColor::BrightCyan.on_default().bold();
    let rule = finding.rule.id();
    let file = report.path(Waiver::FILE);
    let _ = writeln!(
        text,
        "{green}help{green:#}: `schemas explain {rule}` says more about a rule; to let a finding pass until a day, write into {file}:\n"
    );
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let event = finding.event.as_deref().unwrap_or_default();
    let _ = writeln!(text, "    [[waiver]]\n    event = {}", quote(event));
    let _ = writeln!(text, "    rule = {}", quote(rule));
    if let Some(path) = &finding.path {
        let _ = writeln!(text, "    path = {}", quote(path));
    }
    let _ = writeln!(
        text,
        "    reason = \"…\"\n    expires = …              # the last day, as in 2027-01-31\n"
    );
}

fn summary(report: &Report, text: &mut String) {
    let counts = report.counts();
    let (style, word) = match report.verdict() {
        Verdict::Compatible => (AnsiColor::BrightGreen.on_default().bold(), "ok"),
        Verdict::Unknown => (AnsiColor::BrightRed.on_default().bold(), "unknown"),
        Verdict::Broken => (AnsiColor::BrightRed.on_default().bold(), "failed"),
    };
    let mut parts = Vec::new();
    for (count, one, many) in [
        (counts.errors, "error", "errors"),
        (counts.warnings, "warning", "warnings"),
        (counts.mitigated, "mitigated", "mitigated"),
        (counts.waived, "waived", "waived"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if parts.is_empty() {
        parts.push("nothing found".to_owned());
    }
    let events = match report.events {
        1 => "1 event".to_owned(),
        events => format!("{events} events"),
    };
    let _ = writeln!(
        text,
        "{style}{word}{style:#}: {events}, {}; {} with {} readers{}",
        parts.join(", "),
        report.options.mode,
        report.options.content_model,
        against(report)
    );
    if report.verdict() == Verdict::Unknown {
        text.push_str("Unknown is not safe: nothing was refuted, and not everything was proven.\n");
    }
}

fn against(report: &Report) -> String {
    match &report.against {
        None => String::new(),
        Some(against) => {
            let commit: String = against.commit.chars().take(9).collect();
            let note = if against.existed {
                String::new()
            } else {
                format!(", where {} did not exist yet", report.path(""))
            };
            format!("; against {} ({commit}){note}", against.reference)
        }
    }
}

fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::BrightYellow,
        Severity::Note => AnsiColor::BrightGreen,
    };
    colour.on_default().bold()
}

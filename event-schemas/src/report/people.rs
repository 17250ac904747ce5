//! The text report in the manner of rustc: finding, place, reason and help.

mod cut;
mod group;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, headline};
use crate::compat::{Document, EventRule, Finding, Rule, Severity, Verdict, Waiver};
use group::Group;

/// The width to which texts are broken.
const WIDTH: usize = 96;

/// How many lines of a document without a place are shown.
const DOCUMENT_LINES: usize = 12;

/// How many other places of a cause are named.
const PLACES: usize = 4;

/// Each cause once.
pub(super) fn render(report: &Report) -> String {
    let told: Vec<&Finding> = told(report).collect();
    let groups = group::of(&told);
    let mut text = String::new();
    let mut said = BTreeSet::new();
    for group in &groups {
        in_full(report, group, false, &mut said, &mut text);
    }
    let hidden = told.len() - groups.len();
    rest(report, &told, hidden, &mut text);
    text
}

/// Every finding separately, with whole documents.
pub(super) fn render_in_full(report: &Report) -> String {
    let told: Vec<&Finding> = told(report).collect();
    let mut text = String::new();
    let mut said = BTreeSet::new();
    for first in &told {
        let alone = Group {
            first,
            more: Vec::new(),
        };
        in_full(report, &alone, true, &mut said, &mut text);
    }
    rest(report, &told, 0, &mut text);
    text
}

fn told(report: &Report) -> impl Iterator<Item = &Finding> {
    let findings = report.findings.iter();
    findings.filter(|finding| finding.severity != Severity::Note)
}

/// What follows the findings: what is harmless, what helps with any of them, and the sum.
fn rest(report: &Report, told: &[&Finding], hidden: usize, text: &mut String) {
    let mut noted = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Note)
        .peekable();
    let any = noted.peek().is_some();
    for finding in noted {
        in_short(finding, text);
    }
    if any {
        text.push('\n');
    }
    if let Some(finding) = told.iter().find(|one| is_worth_a_waiver(one)) {
        hints(report, finding, hidden, text);
    }
    summary(report, text);
}

/// A way out that holds for several fields of an event is said with the first of them.
fn in_full<'a>(
    report: &Report,
    group: &Group<'a>,
    whole: bool,
    said: &mut BTreeSet<(&'a Option<String>, &'a str)>,
    text: &mut String,
) {
    let finding = group.first;
    let style = style(finding.severity);
    let rule = finding.rule.id();
    let name = finding.severity.name();
    let bold = Style::new().bold();
    let title = group.headline().unwrap_or_else(|| headline(finding));
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
    for line in whereabouts(group) {
        let _ = writeln!(text, "   {blue}|{blue:#} {line}");
    }
    part("why", &finding.why, text);
    let other_way = group.other_way();
    if let Some(other) = other_way {
        part("both ways", &other.why, text);
    }
    if let Some(document) = &finding.document {
        let _ = writeln!(
            text,
            "   {blue}={blue:#} {bold}document{bold:#}: {}",
            document.what
        );
        for line in shown(document, whole) {
            let _ = writeln!(text, "       {line}");
        }
    }
    let others = other_way.iter().flat_map(|other| &other.ways_out);
    for way in finding.ways_out.iter().chain(others) {
        if said.insert((&finding.event, way)) {
            part("help", way, text);
        }
    }
    text.push('\n');
}

/// The event and its versions, the other places of the same cause, and who reads them.
fn whereabouts(group: &Group<'_>) -> Vec<String> {
    let finding = group.first;
    let mut lines = Vec::new();
    if let Some(event) = &finding.event {
        let versions = finding
            .versions
            .map(|versions| format!(" {versions}"))
            .unwrap_or_default();
        let other = group
            .other_way()
            .and_then(|other| other.versions?.direction);
        let versions = match other {
            Some(other) => format!("{versions} and {other}"),
            None => versions,
        };
        let path = match &finding.path {
            Some(path) if !group.more.is_empty() => format!(", `{path}`"),
            _ => String::new(),
        };
        lines.push(format!("{event}{versions}{path}"));
    }
    let places = group.places();
    if !places.is_empty() {
        let more = places.len().saturating_sub(PLACES);
        let named = places[..places.len() - more].join(", ");
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        lines.push(format!("and {named}{more}"));
    }
    let consumers = group.consumers();
    if !consumers.is_empty() {
        lines.push(format!("consumed by {}", consumers.join(", ")));
    }
    lines
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

/// The document: on one line if it is short, else cut around the place that it is about.
fn shown(document: &Document, whole: bool) -> Vec<String> {
    let data = &document.data;
    let short = data.to_string();
    if short.chars().count() <= WIDTH - 8 {
        return vec![short];
    }
    let long = format!("{data:#}");
    let lines: Vec<String> = long.lines().map(str::to_owned).collect();
    if whole {
        return lines;
    }
    if let Some(at) = &document.at {
        return cut::around(data, at);
    }
    match lines.len().checked_sub(DOCUMENT_LINES) {
        None | Some(0) => lines,
        Some(more) => {
            let mut cut = lines[..DOCUMENT_LINES].to_vec();
            cut.push(format!("… {more} more lines; `--verbose` has all of it"));
            cut
        }
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
fn hints(report: &Report, finding: &Finding, hidden: usize, text: &mut String) {
    let green = AnsiColor::BrightCyan.on_default().bold();
    if hidden > 0 {
        let _ = writeln!(
            text,
            "{green}help{green:#}: `--verbose` shows each of the {hidden} places that are only counted here\n"
        );
    }
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

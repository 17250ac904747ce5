//! Reports of a check: text, JSON, SARIF and GitHub annotations.

mod github;
mod json;
mod people;
mod sarif;

use std::fmt;
use std::str::FromStr;

use crate::compat::{Finding, Options, Place, Severity, UnknownName, Verdict, Within};

/// The findings of a check, and what the check compared.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The findings: errors first, and within each severity sorted by event.
    pub findings: Vec<Finding>,
    /// The rules by which the versions were compared.
    pub options: Options,
    /// Whether warnings make the check fail.
    pub deny_warnings: bool,
    /// How many events the catalogue has.
    pub events: usize,
    /// The folder of the contracts, with which paths in reports begin.
    pub folder: String,
    /// The path of the folder from the root of its repository; `None` outside of a repository. Code
    /// scanning and GitHub need paths in this form.
    pub in_repository: Option<String>,
    /// The git ref with whose files the code was compared; `None` if only the folder was used.
    pub against: Option<Against>,
}

/// The git ref with whose files the code was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Against {
    /// The ref as it was requested.
    pub reference: String,
    /// The commit to which the ref resolved.
    pub commit: String,
    /// Whether the folder existed at that commit; if not, every event is new.
    pub existed: bool,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Text for people, with colours.
    #[default]
    People,
    /// JSON for programs, as documented in `docs/contracts.md`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that GitHub shows beside the lines of a change.
    Github,
}

/// How many findings there are of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
    pub(crate) mitigated: usize,
    pub(crate) waived: usize,
    pub(crate) unknown: usize,
}

impl Report {
    /// The verdict of the check.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.findings, self.deny_warnings)
    }

    /// Returns the report as text. In the format for people, it has colours as ANSI escapes, and
    /// names each cause once; [`render_in_full`](Self::render_in_full) shows every finding.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::People => people::render(self),
            Format::Json => pretty(&json::render(self)),
            Format::Sarif => pretty(&sarif::render(self)),
            Format::Github => github::render(self),
        }
    }

    /// Returns the report for people with each finding separately, and with whole documents.
    #[must_use]
    pub fn render_in_full(&self) -> String {
        people::render_in_full(self)
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in &self.findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
            counts.mitigated += usize::from(finding.mitigation.is_some());
            counts.waived += usize::from(finding.waiver.is_some());
            let counts_as_unknown = finding.is_unknown() && finding.severity == Severity::Error;
            counts.unknown += usize::from(counts_as_unknown);
        }
        counts
    }

    /// A file of the folder, as it is found from where the check was run.
    pub(crate) fn path(&self, file: &str) -> String {
        within(&self.folder, file)
    }

    /// The file of a place, as it is found from where the check was run.
    fn file_of(&self, place: &Place) -> String {
        match place.within {
            Within::Contracts => self.path(&place.file),
            Within::Sources { .. } => place.file.clone(),
        }
    }

    /// The file of a place, as it is found from the root of the repository; the folder of the
    /// contracts where there is no place.
    fn file_in_repository(&self, place: Option<&Place>) -> String {
        let folder = self.in_repository.as_ref().unwrap_or(&self.folder);
        match place {
            None => within(folder, ""),
            Some(place) => match &place.within {
                Within::Contracts => within(folder, &place.file),
                Within::Sources { in_repository } => {
                    in_repository.as_ref().unwrap_or(&place.file).clone()
                }
            },
        }
    }
}

fn within(folder: &str, file: &str) -> String {
    match (folder, file) {
        ("" | ".", file) => file.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, file) => format!("{}/{file}", folder.trim_end_matches('/')),
    }
}

/// The rule as a headline, with the field if it is about one.
fn headline(finding: &Finding) -> String {
    match &finding.path {
        Some(path) if path != "$" => format!("{}: `{path}`", finding.title()),
        _ => finding.title().to_owned(),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::People, Self::Json, Self::Sarif, Self::Github];

    /// The name as it is written in options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| UnknownName::new("format", text, &Self::ALL.map(Self::name)))
    }
}

//! Test support: a git repository with contracts, and catalogues that change.

use std::path::PathBuf;
use std::process::Command;

use event_schemas::Catalogue;
use event_schemas::check::{CheckError, Request, check};
use event_schemas::compat::{Finding, Severity};
use event_schemas::lock::{Options, generate};
use event_schemas::report::Report;
use jiff::civil::{Date, date};
use tempfile::TempDir;

pub(crate) const TODAY: Date = date(2026, 11, 28);

/// A temporary repository with the folder `contracts`.
pub(crate) struct World {
    home: TempDir,
}

impl World {
    /// One whose folder has the contracts of a catalogue, committed under the tag `released`.
    pub(crate) fn released(catalogue: &Catalogue) -> Self {
        let world = Self::empty();
        world.generate(catalogue, &Options::default());
        world.commit("released");
        world
    }

    /// One without contracts, and without a commit.
    pub(crate) fn empty() -> Self {
        let home = tempfile::tempdir().unwrap();
        let world = Self { home };
        world.git(&["init", "--quiet"]);
        world
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("contracts")
    }

    pub(crate) fn generate(&self, catalogue: &Catalogue, options: &Options) {
        generate(catalogue, self.folder(), options).unwrap();
    }

    /// Commits all files, and names the commit.
    pub(crate) fn commit(&self, tag: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", tag]);
        self.git(&["tag", tag]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let config = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output = Command::new("git")
            .arg("-C")
            .arg(self.home.path())
            .args(config)
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {stderr}");
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.folder().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder().join(file)).unwrap()
    }

    pub(crate) fn request(&self) -> Request {
        Request::new(self.folder(), TODAY)
    }

    /// Checks against the files of the folder.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> Report {
        check(catalogue, &self.request(), Vec::new()).unwrap()
    }

    /// Checks against the files at a ref.
    pub(crate) fn check_against(&self, catalogue: &Catalogue, reference: &str) -> Report {
        self.try_against(catalogue, reference).unwrap()
    }

    pub(crate) fn try_against(
        &self,
        catalogue: &Catalogue,
        reference: &str,
    ) -> Result<Report, CheckError> {
        let mut request = self.request();
        request.against = Some(reference.to_owned());
        check(catalogue, &request, Vec::new())
    }

    /// All files of the folder with their contents, to see that none was touched.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    files.push((path, bytes));
                }
            }
        }
        files.sort();
        files
    }
}

/// The ids of the rules of what makes a check fail, with the fields.
pub(crate) fn errors(report: &Report) -> Vec<String> {
    told(report, Severity::Error)
}

/// The ids of the rules of a severity, with the fields.
pub(crate) fn told(report: &Report, severity: Severity) -> Vec<String> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.severity == severity)
        .map(name)
        .collect()
}

fn name(finding: &Finding) -> String {
    match &finding.path {
        Some(path) => format!("{}: {path}", finding.rule),
        None => finding.rule.to_string(),
    }
}

/// An error and all that is behind it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

//! `schemas check`: compares the code with the lock, versions with each other, and both with a git
//! ref.
//!
//! The code is compared with the committed contracts. Without a ref, these are the files in the
//! folder. With a ref, these are the files of the folder at that ref. Versions that exist at the
//! ref must then be unchanged; versions that exist only in the work tree may still change. Nothing
//! is written, and the work tree is never touched.

mod cause;
mod contracts;
#[cfg(feature = "cli")]
mod diff;
mod drift;
mod event;
pub mod git;
mod kept;
mod place;
mod receivers;
mod settings;

#[cfg(feature = "cli")]
pub(crate) use diff::{Diff, DiffRequest, diff};
#[cfg(feature = "cli")]
pub(crate) use settings::unknown_rule;
pub use settings::{Settings, SettingsError};

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::compat::{
    BadSchema, ContentModel, EventRule, Finding, Mode, Options, Rule, apply_waivers,
};
use crate::lock::{Lock, LockError};
use crate::report::{Against, Report};
use crate::{Catalogue, CatalogueFault, parallel};
use contracts::Sides;
use git::GitError;

/// What to check, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// The folder of the contracts.
    pub folder: PathBuf,
    /// The mode. `None`: the mode in `check.toml`, or else the default mode.
    pub mode: Option<Mode>,
    /// The content model. `None`: the content model in `check.toml`, or else the default.
    pub content_model: Option<ContentModel>,
    /// The git ref of the committed contracts. `None`: the committed contracts are the files in the
    /// folder.
    pub against: Option<String>,
    /// Whether warnings make the check fail.
    pub deny_warnings: bool,
    /// The current day. A waiver has expired if its last day is before this day.
    pub today: Date,
}

impl Request {
    /// Creates a request for a folder and a day, with the defaults for everything else.
    pub fn new(folder: impl Into<PathBuf>, today: Date) -> Self {
        Self {
            folder: folder.into(),
            mode: None,
            content_model: None,
            against: None,
            deny_warnings: false,
            today,
        }
    }
}

/// Checks a catalogue against its files. `found` contains further findings, for example from a scan
/// of the sources. Waivers apply to them too.
///
/// # Errors
///
/// [`CheckError`] if the check cannot run: the catalogue has faults, files cannot be read, or the
/// ref does not exist.
pub fn check(
    catalogue: &Catalogue,
    request: &Request,
    found: Vec<Finding>,
) -> Result<Report, CheckError> {
    let faults = catalogue.faults();
    if !faults.is_empty() {
        return Err(CheckError::Faults(faults));
    }
    let folder = &request.folder;
    let settings = Settings::read(folder)?;
    let options = settings.options(request.mode, request.content_model);
    let files = match Lock::read(folder) {
        Ok(lock) => Some(lock),
        Err(LockError::NoLock) => None,
        Err(source) => return Err(CheckError::files(folder, source)),
    };
    let reference = match &request.against {
        Some(reference) => Some(Reference::read(folder, reference)?),
        None => None,
    };
    let mut findings = found;
    findings.extend(compare(
        catalogue,
        files.as_ref(),
        reference.as_ref(),
        options,
    )?);
    findings.extend(drift::find(catalogue, folder, files.as_ref(), &findings)?);
    place::locate(&mut findings, folder, files.as_ref());
    cause::find(&mut findings, catalogue, files.as_ref());
    apply_waivers(
        &mut findings,
        &settings.waivers,
        request.today,
        Settings::FILE,
    );
    sort(&mut findings);
    Ok(Report {
        findings,
        options,
        deny_warnings: request.deny_warnings,
        events: catalogue.events().len(),
        folder: folder.to_string_lossy().replace('\\', "/"),
        in_repository: git::in_repository(folder),
        against: reference.map(|reference| reference.against),
    })
}

/// The lock at a ref.
struct Reference {
    against: Against,
    /// `None` if there was none.
    lock: Option<Lock>,
}

impl Reference {
    fn read(folder: &Path, name: &str) -> Result<Self, CheckError> {
        let snapshot = git::files_at(folder, name)?;
        let lock = match snapshot.files.map(Lock::from_files) {
            None | Some(Err(LockError::NoLock)) => None,
            Some(Ok(lock)) => Some(lock),
            Some(Err(source)) => {
                return Err(CheckError::FilesAtRef {
                    folder: folder.to_owned(),
                    reference: name.to_owned(),
                    source: Box::new(source),
                });
            }
        };
        Ok(Self {
            against: Against {
                reference: name.to_owned(),
                commit: snapshot.commit,
                existed: lock.is_some(),
            },
            lock,
        })
    }
}

/// Compares all events, on as many threads as there are cores.
fn compare(
    catalogue: &Catalogue,
    files: Option<&Lock>,
    reference: Option<&Reference>,
    options: Options,
) -> Result<Vec<Finding>, BadSchema> {
    let lock = reference.and_then(|reference| reference.lock.as_ref());
    let events = contracts::sides(catalogue, files, lock);
    let check = event::Check {
        catalogue,
        options,
        by_reference: reference.is_some(),
        moved: event::moved(&events, reference.is_some()),
    };
    let events: Vec<(_, Sides<'_>)> = events.into_iter().collect();
    let found = parallel::map(&events, |event| check.one(event.0, &event.1));
    let mut findings = Vec::new();
    for found in found {
        findings.extend(found?);
    }
    Ok(findings)
}

/// Errors first, then by event, version and field.
fn sort(findings: &mut [Finding]) {
    findings.sort_by_cached_key(|finding| {
        let versions = finding
            .versions
            .map(|versions| (versions.new, versions.old, versions.direction));
        (
            finding.severity,
            finding.event.clone(),
            // Follows from what breaks, and is said after it.
            finding.rule == Rule::Event(EventRule::GoldenRefused),
            versions,
            finding.path.clone(),
            finding.rule,
        )
    });
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The catalogue has faults.
    #[error("the catalogue cannot be used")]
    Faults(Vec<CatalogueFault>),
    /// The files of the folder cannot be read.
    #[error("the contracts in {} cannot be read", folder.display())]
    Files {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: Box<LockError>,
    },
    /// The files at the ref cannot be read.
    #[error("the contracts in {} at {reference} cannot be read", folder.display())]
    FilesAtRef {
        /// The folder.
        folder: PathBuf,
        /// The ref.
        reference: String,
        /// The cause.
        source: Box<LockError>,
    },
    /// A file of the folder could not be read, to compare it with the generated one.
    #[error(transparent)]
    Unreadable(#[from] crate::lock::WriteError),
    /// Git could not read the files at the ref.
    #[error(transparent)]
    Git(#[from] GitError),
    /// `check.toml` cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A schema is not a JSON Schema.
    #[error(transparent)]
    Schema(#[from] BadSchema),
}

impl CheckError {
    fn files(folder: &Path, source: LockError) -> Self {
        Self::Files {
            folder: folder.to_owned(),
            source: Box::new(source),
        }
    }
}

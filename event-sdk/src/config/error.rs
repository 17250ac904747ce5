//! `ConfigError`: everything that is wrong with a configuration, each with its place, the value and
//! what is allowed.

use std::fmt;
use std::path::PathBuf;

use event_sdk_core::shown::Shown;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::choice::Preset;

/// Everything that is wrong with a configuration. It has at least one problem.
///
/// `Display` prints all of them in one line. Secrets are not shown. `?` converts this error to
/// an [`Error`](crate::Error) of the kind [`NotConfigured`](crate::ErrorKind::NotConfigured) if the
/// only problem is that no transport is chosen, and otherwise of the kind
/// [`InvalidOption`](crate::ErrorKind::InvalidOption).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    kind: ProblemKind,
    setting: Option<&'static str>,
    origin: Option<Origin>,
    text: String,
}

/// The kind of a [`ConfigProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The transport is not chosen, or a setting that it needs is missing.
    Missing,
    /// There is no setting of this name.
    UnknownSetting,
    /// The value is not allowed.
    InvalidValue,
    /// Settings contradict each other, or a setting has no effect without another one.
    Conflict,
    /// The file, or a variable, cannot be read.
    Unreadable,
    /// The program was built without the feature that the setting needs.
    MissingFeature,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// An environment variable.
    Variable(String),
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, beginning at one.
        line: usize,
    },
    /// A preset.
    Preset(Preset),
    /// Code, by [`override_with`](super::ConfigLoader::override_with).
    Override,
}

impl ConfigError {
    /// The problems as an error; `Ok` if there are none.
    pub(super) fn of(problems: Vec<ConfigProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// All problems, in the order in which they were found.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl ConfigProblem {
    pub(super) fn new(kind: ProblemKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            setting: None,
            origin: None,
            text: text.into(),
        }
    }

    /// Adds the setting.
    pub(super) fn of(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }

    /// Adds where the value comes from.
    pub(super) fn from(mut self, origin: Option<&Origin>) -> Self {
        self.origin = origin.cloned();
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The name of the setting, such as `nats.url`; `None` if the problem is about no setting.
    #[must_use]
    pub const fn setting(&self) -> Option<&'static str> {
        self.setting
    }

    /// Where the value comes from; `None` if no source is known.
    #[must_use]
    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

/// The most characters of a problem: a path and a few names fit.
const MAX_TEXT: usize = 1000;

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Shown(&self.text, MAX_TEXT);
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        // A variable says which setting it is.
        let of_variable = matches!(self.origin, Some(Origin::Variable(_)));
        if let Some(setting) = self.setting
            && !of_variable
        {
            write!(f, "{setting}: ")?;
        }
        text.fmt(f)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => Shown(name, MAX_TEXT).fmt(f),
            Self::File { path, line } => {
                let path = path.to_string_lossy();
                write!(f, "{}:{line}", Shown(&path, MAX_TEXT))
            }
            Self::Preset(preset) => write!(f, "preset {preset}"),
            Self::Override => f.write_str("override in code"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = &*self.problems {
            return one.fmt(f);
        }
        write!(f, "{} problems", self.problems.len())?;
        for (place, problem) in self.problems.iter().enumerate() {
            let joint = if place == 0 { ": " } else { "; " };
            write!(f, "{joint}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let only_missing = |problem: &ConfigProblem| {
            problem.kind == ProblemKind::Missing && problem.setting == Some("transport")
        };
        let kind = if error.problems.iter().all(only_missing) {
            ErrorKind::NotConfigured
        } else {
            ErrorKind::InvalidOption
        };
        Self::new(kind, Operation::Configure, error.to_string())
    }
}

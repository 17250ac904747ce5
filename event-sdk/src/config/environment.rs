//! Reads settings from environment variables.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::entry::Entry;
use super::error::{ConfigProblem, Origin, ProblemKind};
use super::nearest::instead;
use super::settings::settings;

/// The variable that names the file, behind the prefix.
const FILE: &str = "CONFIG_FILE";

/// Variables with the default prefix that are none of the service: they name programs for tests, or
/// a failing test to be repeated.
const OF_TESTS: [&str; 8] = [
    "EVENT_SDK_CHROMIUM",
    "EVENT_SDK_MODEL",
    "EVENT_SDK_NATS_SERVER",
    "EVENT_SDK_NATS_SERVER_OLDEST",
    "EVENT_SDK_NODE",
    "EVENT_SDK_POSTGRES",
    "EVENT_SDK_PYTHON",
    "EVENT_SDK_REPLAY",
];

/// The name and the value of a variable.
pub(super) type Variable = (OsString, OsString);

/// The value of a variable.
///
/// # Errors
///
/// If it is not Unicode.
pub(super) fn value(name: &str, value: &OsStr) -> Result<String, ConfigProblem> {
    value.to_str().map(str::to_owned).ok_or_else(|| {
        let origin = Origin::Variable(name.to_owned());
        ConfigProblem::new(ProblemKind::Unreadable, "its value is not UTF-8").from(Some(&origin))
    })
}

/// The path of the file that the environment names.
pub(super) fn file(
    variables: &[Variable],
    prefix: &str,
    problems: &mut Vec<ConfigProblem>,
) -> Option<PathBuf> {
    let name = format!("{prefix}{FILE}");
    let (_, path) = variables.iter().find(|(known, _)| *known == *name)?;
    if path.is_empty() {
        let origin = Origin::Variable(name);
        let text = "it is empty; name a file, or remove it";
        let problem = ConfigProblem::new(ProblemKind::InvalidValue, text);
        problems.push(problem.from(Some(&origin)));
        return None;
    }
    Some(PathBuf::from(path))
}

/// The settings among the variables.
pub(super) fn read(
    variables: &[Variable],
    prefix: &str,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, found) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else {
            continue;
        };
        if OF_TESTS.contains(&name) || name.strip_prefix(prefix) == Some(FILE) {
            continue;
        }
        let mut known = settings().iter();
        let Some(setting) = known.find(|setting| setting.variable_under(prefix) == name) else {
            problems.push(unknown(name, prefix));
            continue;
        };
        match value(name, found) {
            Ok(text) => entries.push(Entry {
                setting,
                text,
                origin: Origin::Variable(name.to_owned()),
            }),
            Err(problem) => problems.push(problem.of(setting.name())),
        }
    }
    entries
}

fn unknown(name: &str, prefix: &str) -> ConfigProblem {
    let known = settings().iter();
    let known = known.map(|setting| setting.variable_under(prefix));
    let known = known.chain([format!("{prefix}{FILE}")]);
    let text = format!("there is no such setting; {}", instead(name, known));
    let origin = Origin::Variable(name.to_owned());
    ConfigProblem::new(ProblemKind::UnknownSetting, text).from(Some(&origin))
}

//! The names that other systems have for our settings, and their environment variables.

use super::entry::Entry;
use super::environment::{self, Variable};
use super::error::{ConfigProblem, Origin, ProblemKind};
use super::settings::named;
use super::unit::{Unit, duration_text};

mod table;

use self::table::TABLE;

/// A system whose names for settings are [known](familiar_names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum System {
    /// A3S Event.
    A3sEvent,
    /// `DelTran`.
    DelTran,
    /// Fraisier.
    Fraisier,
    /// Hodei Pipelines.
    Hodei,
    /// `JetStream` Bridge, with the variables of its deployment guide.
    JetstreamBridge,
}

/// A name that another system has for a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FamiliarName {
    /// The system.
    pub system: System,
    /// The name of an environment variable, or of a field in the other system's code.
    pub name: &'static str,
    /// Whether the name is an environment variable. [`names_of`](super::ConfigLoader::names_of)
    /// reads such variables.
    pub is_variable: bool,
    /// What the name stands for in this SDK.
    pub here: Here,
}

/// What a name of another system stands for in event-sdk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Here {
    /// This setting, with the same values.
    Setting(&'static str),
    /// This setting. A bare number is read as a duration in this unit.
    DurationIn(&'static str, Unit),
    /// This setting. Each pair is a value of the other system and its name here.
    Renamed(&'static str, &'static [(&'static str, &'static str)]),
    /// No setting: this item in code does the same.
    Code(&'static str),
    /// Nothing, for this reason.
    NotTaken(&'static str),
}

/// The names that other systems use for these settings, each with the setting of this SDK.
#[must_use]
pub fn familiar_names() -> &'static [FamiliarName] {
    TABLE
}

/// Reads the variables of these systems. `entries` has the settings of our own variables.
pub(super) fn read(
    variables: &[Variable],
    systems: &[System],
    entries: &mut Vec<Entry>,
    problems: &mut Vec<ConfigProblem>,
) {
    let chosen = |row: &&FamiliarName| row.is_variable && systems.contains(&row.system);
    for row in TABLE.iter().filter(chosen) {
        let mut all = variables.iter();
        let Some((_, value)) = all.find(|(name, _)| *name == *row.name) else {
            continue;
        };
        match environment::value(row.name, value) {
            Ok(text) => familiar(row, text, entries, problems),
            Err(problem) => problems.push(problem),
        }
    }
}

fn familiar(
    row: &FamiliarName,
    text: String,
    entries: &mut Vec<Entry>,
    problems: &mut Vec<ConfigProblem>,
) {
    let origin = Origin::Variable(row.name.to_owned());
    let (name, text) = match row.here {
        Here::Setting(name) => (name, Ok(text)),
        Here::DurationIn(name, unit) => {
            let duration = unit.read(&text).map(duration_text);
            (name, duration.map_err(|why| (text, why)))
        }
        Here::Renamed(name, values) => {
            let mut values = values.iter();
            let renamed = values.find(|(theirs, _)| theirs.eq_ignore_ascii_case(text.trim()));
            (
                name,
                Ok(renamed.map_or(text, |(_, ours)| (*ours).to_owned())),
            )
        }
        Here::Code(what) | Here::NotTaken(what) => {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                variable = row.name,
                instead = what,
                "a variable has no effect in the configuration of event-sdk"
            );
            return;
        }
    };
    // A test checks that the table names settings.
    let Some(setting) = named(name) else { return };
    let entry = |text| Entry {
        setting,
        text,
        origin: origin.clone(),
    };
    if let Some(ours) = entries.iter().find(|entry| entry.setting.name() == name) {
        let text = format!("it is set by {} too; remove one of them", ours.origin);
        let problem = ConfigProblem::new(ProblemKind::Conflict, text).of(name);
        problems.push(problem.from(Some(&origin)));
        return;
    }
    match text {
        Ok(text) => entries.push(entry(text)),
        Err((text, why)) => problems.push(entry(text).invalid(&why)),
    }
}

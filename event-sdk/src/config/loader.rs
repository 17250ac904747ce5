//! `ConfigLoader`: joins the defaults of the code, a preset, the file, the environment, and what the
//! code overrides.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::choice::{Choice as _, Preset};
use super::entry::Entry;
use super::environment::{self, Variable};
use super::error::{ConfigError, ConfigProblem, Origin, ProblemKind};
use super::familiar::{self, System};
use super::settings::{named, settings};
use super::{Config, VARIABLE_PREFIX, file};

/// Loads a [`Config`] from several sources. In this order, each source takes precedence over those
/// before it: [`defaults`](Self::defaults), the preset, the file, the environment,
/// [`override_with`](Self::override_with).
///
/// ```
/// use std::time::Duration;
/// use event_sdk::config::{Config, TransportChoice};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::loader()
///     .variables([("EVENT_SDK_PUBLISH_TIMEOUT", "7s")]) // instead of those of the process
///     .defaults(|config| {
///         config.transport = Some(TransportChoice::Memory);
///         config.publish_timeout = Some(Duration::from_secs(3));
///     })
///     .load()?;
/// assert_eq!(config.transport, Some(TransportChoice::Memory));
/// assert_eq!(config.publish_timeout, Some(Duration::from_secs(7)));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is loaded before `load`"]
pub struct ConfigLoader {
    variables: Option<Vec<Variable>>,
    prefix: String,
    file: Option<PathBuf>,
    defaults: Vec<Change>,
    overrides: Vec<Change>,
    systems: Vec<System>,
}

type Change = Box<dyn FnOnce(&mut Config)>;

impl ConfigLoader {
    pub(super) fn new() -> Self {
        Self {
            variables: None,
            prefix: VARIABLE_PREFIX.to_owned(),
            file: None,
            defaults: Vec::new(),
            overrides: Vec::new(),
            systems: Vec::new(),
        }
    }

    /// Sets defaults. A value from any other source (environment, file, preset, `override_with`)
    /// replaces them.
    pub fn defaults(mut self, set: impl FnOnce(&mut Config) + 'static) -> Self {
        self.defaults.push(Box::new(set));
        self
    }

    /// Reads this TOML file, unless the variable `EVENT_SDK_CONFIG_FILE` names another one. The
    /// file must exist.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Sets values that take precedence over all other sources, such as command-line arguments.
    pub fn override_with(mut self, set: impl FnOnce(&mut Config) + 'static) -> Self {
        self.overrides.push(Box::new(set));
        self
    }

    /// Reads variables with this prefix instead of `EVENT_SDK_`, for a program with several buses.
    pub fn variable_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Reads these variables instead of the variables of the process.
    pub fn variables<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        self.variables = Some(variables.collect());
        self
    }

    /// Also reads the environment variables of another system, as listed by
    /// [`familiar_names`](super::familiar_names), so a deployment can keep its variables. A
    /// setting that is set under both names is an error. A variable of that system without a
    /// counterpart is logged as a warning.
    pub fn names_of(mut self, system: System) -> Self {
        self.systems.push(system);
        self
    }

    /// Loads and validates the configuration.
    ///
    /// # Errors
    ///
    /// All problems that were found: unknown names, wrong values, a file that cannot be read,
    /// contradictions.
    pub fn load(self) -> Result<Config, ConfigError> {
        let variables = match self.variables {
            Some(variables) => variables,
            None => std::env::vars_os().collect(),
        };
        let mut problems = Vec::new();
        let mut config = Config::default();
        config.loaded.prefix.clone_from(&self.prefix);
        for set in self.defaults {
            set(&mut config);
        }

        let path = environment::file(&variables, &self.prefix, &mut problems).or(self.file);
        let mut entries = match path {
            Some(path) => file::read(&path, &mut problems),
            None => Vec::new(),
        };
        let mut of_variables = environment::read(&variables, &self.prefix, &mut problems);
        familiar::read(&variables, &self.systems, &mut of_variables, &mut problems);
        entries.extend(of_variables);

        apply_preset(&mut config, &entries);
        for entry in entries {
            apply(&mut config, entry, &mut problems);
        }
        override_with(&mut config, self.overrides, &mut problems);
        if problems.is_empty() {
            config.validate()?;
        }
        ConfigError::of(problems)?;
        Ok(config)
    }
}

/// Sets what the preset says. A wrong preset is reported where it is applied itself.
fn apply_preset(config: &mut Config, entries: &[Entry]) {
    let mut presets = entries.iter().rev();
    let chosen = presets.find(|entry| entry.setting.name() == "preset");
    let Some(preset) = chosen.map_or(config.preset, |entry| Preset::named(entry.text.trim()))
    else {
        return;
    };
    for (name, text) in preset.values() {
        if let Some(setting) = named(name)
            && setting.set(config, text).is_ok()
        {
            let origins = &mut config.loaded.origins;
            origins.insert(setting.name(), Origin::Preset(preset));
        }
    }
}

fn apply(config: &mut Config, entry: Entry, problems: &mut Vec<ConfigProblem>) {
    // Without white space around it, unless it may be a part of a secret.
    let text = if entry.setting.is_secret() {
        &*entry.text
    } else {
        entry.text.trim()
    };
    let set = match text {
        "" => Err(String::new()),
        text => entry.setting.set(config, text),
    };
    match set {
        Ok(()) => {
            let origins = &mut config.loaded.origins;
            origins.insert(entry.setting.name(), entry.origin);
        }
        Err(why) => problems.push(entry.invalid(&why)),
    }
}

fn override_with(config: &mut Config, overrides: Vec<Change>, problems: &mut Vec<ConfigProblem>) {
    if overrides.is_empty() {
        return;
    }
    let before = config.clone();
    for set in overrides {
        set(config);
    }
    for setting in settings() {
        if setting.text(config) != setting.text(&before) {
            let origins = &mut config.loaded.origins;
            origins.insert(setting.name(), Origin::Override);
        }
    }
    if config.preset != before.preset {
        let text = "a preset only sets defaults: set it with `ConfigLoader::defaults`";
        let problem = config.problem(ProblemKind::Conflict, "preset", text);
        problems.push(problem);
    }
}

impl fmt::Debug for ConfigLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigLoader")
            .field("prefix", &self.prefix)
            .field("file", &self.file)
            .field("systems", &self.systems)
            .finish_non_exhaustive()
    }
}

//! The prefix of subjects from environment, application, destination and region.

use event_sdk_core::subject::check_prefix;
use event_sdk_core::subject::grammar::is_unseen;

use super::Config;
use super::entry::may_be_secret;
use super::error::{ConfigError, ProblemKind};

impl Config {
    /// The [`prefix`](Self::prefix) with its placeholders replaced; `None` if no prefix is set.
    ///
    /// ```
    /// use event_sdk::config::Config;
    ///
    /// let mut config = Config::default();
    /// config.prefix = Some("{environment}.{application}.events".to_owned());
    /// config.environment = Some("production".to_owned());
    /// config.application = Some("billing".to_owned());
    /// assert_eq!(config.expanded_prefix().unwrap().as_deref(), Some("production.billing.events"));
    /// ```
    ///
    /// # Errors
    ///
    /// An unknown placeholder, a placeholder whose setting is missing, or an invalid prefix.
    pub fn expanded_prefix(&self) -> Result<Option<String>, ConfigError> {
        let Some(template) = &self.prefix else {
            return Ok(None);
        };
        Ok(Some(self.expand(template, false)?))
    }

    /// The prefix of the other direction: [`prefix`](Self::prefix) with `{application}` and
    /// `{destination}` exchanged. The destination publishes its events for this application under
    /// this prefix.
    ///
    /// ```
    /// use event_sdk::config::Config;
    ///
    /// let mut config = Config::default();
    /// config.prefix = Some(Config::POINT_TO_POINT.to_owned());
    /// config.environment = Some("production".to_owned());
    /// config.application = Some("billing".to_owned());
    /// config.destination = Some("worker".to_owned());
    /// assert_eq!(config.expanded_prefix().unwrap().as_deref(), Some("production.billing.sync.worker"));
    /// assert_eq!(config.reverse_prefix().unwrap(), "production.worker.sync.billing");
    /// ```
    ///
    /// # Errors
    ///
    /// The same as for [`expanded_prefix`](Self::expanded_prefix), and if the prefix lacks one of
    /// the two placeholders.
    pub fn reverse_prefix(&self) -> Result<String, ConfigError> {
        let template = self.prefix.as_deref().unwrap_or_default();
        if uses(template, "application") && uses(template, "destination") {
            return self.expand(template, true);
        }
        let text = "a prefix without `{application}` and `{destination}` has no other direction; use `Config::POINT_TO_POINT`";
        Err(self.problem(ProblemKind::Conflict, "prefix", text).into())
    }

    fn expand(&self, template: &str, reversed: bool) -> Result<String, ConfigError> {
        let problem = |kind, text: String| ConfigError::from(self.problem(kind, "prefix", text));
        let mut prefix = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            prefix.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                let text = "a `{` has no `}` behind it".to_owned();
                return Err(problem(ProblemKind::InvalidValue, text));
            };
            let (setting, value) = match (name, reversed) {
                ("environment", _) => ("environment", &self.environment),
                ("region", _) => ("region", &self.region),
                ("application", false) | ("destination", true) => {
                    ("application", &self.application)
                }
                ("destination", false) | ("application", true) => {
                    ("destination", &self.destination)
                }
                _ => {
                    let text = format!(
                        "`{{{name}}}` stands for nothing; `{{environment}}`, `{{application}}`, `{{destination}}` and `{{region}}` do"
                    );
                    return Err(problem(ProblemKind::InvalidValue, text));
                }
            };
            let Some(value) = value else {
                let variable = self.variable(setting);
                let text =
                    format!("`{{{name}}}` needs the setting `{setting}` ({variable}); set it");
                return Err(problem(ProblemKind::Missing, text));
            };
            if let Err(why) = check_component(value) {
                let text = format!("`{{{name}}}` cannot be a part of the prefix: {why}");
                return Err(problem(ProblemKind::InvalidValue, text));
            }
            prefix.push_str(value);
            rest = after;
        }
        prefix.push_str(rest);
        check_prefix(&prefix).map_err(|why| {
            let text = if may_be_secret(template) {
                "the value (not shown) is not a valid subject prefix".to_owned()
            } else {
                why.to_string()
            };
            problem(ProblemKind::InvalidValue, text)
        })?;
        Ok(prefix)
    }
}

/// Whether a prefix has this placeholder.
pub(super) fn uses(template: &str, name: &str) -> bool {
    template.contains(&format!("{{{name}}}"))
}

/// Checks a name that is one token of a subject: an application, an environment, a region.
pub(super) fn check_component(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("it is empty")
    } else if name.len() > 255 {
        Err("it has more than 255 bytes")
    } else if name.contains(['.', '*', '>']) {
        Err("it has a `.`, `*` or `>`, which have a meaning in subjects")
    } else if name.chars().any(is_unseen) {
        Err("it has white space, or a character that cannot be seen")
    } else {
        Ok(())
    }
}

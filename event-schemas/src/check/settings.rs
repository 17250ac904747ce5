//! The file `check.toml`: compatibility mode, content model and waivers.

use std::path::{Path, PathBuf};

use event_sdk::envelope::Version;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use toml::Spanned;

use crate::compat::{ContentModel, Mode, Options, Rule, Waiver};

/// The content of the file `check.toml`. Each setting is optional, and so is the file.
///
/// ```toml
/// mode = "FULL_TRANSITIVE"
/// content-model = "tolerant"
///
/// [[waiver]]
/// event = "orders.order.placed"
/// rule = "type-narrowed"
/// path = "total"                  # any, if left out
/// version = "1.1"                 # the code's version; any, if left out
/// reason = "nobody consumes totals before the launch"
/// expires = 2027-01-31            # the last day
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The mode, if the file sets one.
    pub mode: Option<Mode>,
    /// The content model, if the file sets one.
    pub content_model: Option<ContentModel>,
    /// The waivers, in the order of the file.
    pub waivers: Vec<Waiver>,
}

impl Settings {
    /// The name of the file in the folder of the contracts.
    pub const FILE: &'static str = Waiver::FILE;

    /// Reads the file in a folder. If there is no file, nothing is set.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the file cannot be read or has an invalid value.
    pub fn read(folder: &Path) -> Result<Self, SettingsError> {
        let path = folder.join(Self::FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(SettingsError::Unreadable { path, source }),
        }
    }

    /// Parses the text of a `check.toml`; errors name the file by `path`.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Invalid`], with the line and the reason.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let line_of = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| SettingsError::Invalid {
            path: path.to_owned(),
            line: line_of(error.span().map_or(0, |span| span.start)),
            why: error.message().trim().to_owned(),
        })?;
        let waivers = file.waiver.into_iter().map(|waiver| {
            let line = line_of(waiver.span().start);
            waiver
                .into_inner()
                .checked(line)
                .map_err(|why| SettingsError::Invalid {
                    path: path.to_owned(),
                    line,
                    why,
                })
        });
        Ok(Self {
            mode: file.mode,
            content_model: file.content_model,
            waivers: waivers.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the options of a check: each argument if it is set, otherwise the setting of the
    /// file.
    #[must_use]
    pub fn options(&self, mode: Option<Mode>, content_model: Option<ContentModel>) -> Options {
        Options {
            mode: mode.or(self.mode).unwrap_or_default(),
            content_model: content_model.or(self.content_model).unwrap_or_default(),
        }
    }
}

/// Why `check.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file exists and cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file has an invalid value.
    #[error("{}:{line}: {why}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what to write.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default, deserialize_with = "by_name")]
    mode: Option<Mode>,
    #[serde(default, deserialize_with = "by_name")]
    content_model: Option<ContentModel>,
    #[serde(default)]
    waiver: Vec<Spanned<WrittenWaiver>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWaiver {
    event: String,
    rule: String,
    path: Option<String>,
    #[serde(default, deserialize_with = "by_name")]
    version: Option<Version>,
    reason: String,
    expires: toml::value::Datetime,
}

impl WrittenWaiver {
    fn checked(self, line: usize) -> Result<Waiver, String> {
        let rule = Rule::find(&self.rule).ok_or_else(|| unknown_rule(&self.rule))?;
        if !rule.is_waivable() {
            return Err(format!(
                "{rule} cannot be waived, since one command or one edit puts it right"
            ));
        }
        if self.reason.trim().is_empty() {
            return Err("a waiver says why: fill in its `reason`".to_owned());
        }
        let expires = day(&self.expires).ok_or_else(|| {
            format!(
                "`expires` is a day, as in `expires = 2027-01-31`, and not {}",
                self.expires
            )
        })?;
        Ok(Waiver {
            event: self.event,
            rule,
            path: self.path,
            version: self.version,
            reason: self.reason,
            expires,
            line,
        })
    }
}

/// What to say of a text that names no rule.
pub(crate) fn unknown_rule(text: &str) -> String {
    let near = Rule::near(text);
    if near.is_empty() {
        format!("there is no rule {text:?}; `schemas explain` lists all of them")
    } else {
        format!(
            "there is no rule {text:?}; did you mean {}?",
            near.join(", ")
        )
    }
}

fn day(written: &toml::value::Datetime) -> Option<Date> {
    let day = written.date.filter(|_| written.time.is_none())?;
    let year = i16::try_from(day.year).ok()?;
    let (month, day) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
    Date::new(year, month, day).ok()
}

fn by_name<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        let parsed = Settings::parse(text, Path::new("contracts/check.toml"));
        parsed.map_err(|error| error.to_string())
    }

    const WAIVER: &str = "\
        mode = \"backward\"\n\
        \n\
        [[waiver]]\n\
        event = \"orders.order.placed\"\n\
        rule = \"event-type-changed\"\n\
        reason = \"nobody consumes it\"\n\
        expires = 2027-01-31\n";

    #[test]
    fn a_file_says_mode_and_waivers() {
        let settings = parse(WAIVER).unwrap();
        assert_eq!(settings.mode, Some(Mode::Backward));
        assert_eq!(settings.waivers[0].line, 3);
        assert_eq!(settings.waivers[0].expires.to_string(), "2027-01-31");
        let options = settings.options(None, Some(ContentModel::Strict));
        assert_eq!(
            (options.mode, options.content_model),
            (Mode::Backward, ContentModel::Strict)
        );
        assert_eq!(settings.options(Some(Mode::Full), None).mode, Mode::Full);
    }

    #[test]
    fn nothing_needs_to_be_said() {
        assert_eq!(parse("").unwrap(), Settings::default());
        assert_eq!(
            Settings::default().options(None, None).mode,
            Mode::FullTransitive
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let cases = [
            (
                "mode = \"sideways\"",
                "check.toml:1: \"sideways\" is no mode",
            ),
            ("\nmod = 1", "check.toml:2: unknown field `mod`"),
            (
                &WAIVER.replace("event-type-changed", "event-type-change"),
                "check.toml:3: there is no rule \"event-type-change\"; did you mean event-type-changed",
            ),
            (
                &WAIVER.replace("event-type-changed", "files-differ"),
                "check.toml:3: files-differ cannot be waived",
            ),
            (
                &WAIVER.replace("nobody consumes it", " "),
                "check.toml:3: a waiver says why",
            ),
            (
                &WAIVER.replace("2027-01-31", "2027-01-31T10:00:00"),
                "`expires` is a day",
            ),
            (
                &WAIVER.replace("expires = 2027-01-31\n", ""),
                "missing field `expires`",
            ),
            (&WAIVER.replace("2027-01-31", "2027-02-31"), "check.toml:7:"),
        ];
        for (text, said) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}

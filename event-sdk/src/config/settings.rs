//! The table of settings: name, documentation, example, and the field of `Config`.

mod table;

use std::fmt;

use self::table::TABLE;
use super::Config;
use super::field::Field;

/// One setting of the [table](settings).
#[derive(Clone, Copy)]
pub struct Setting {
    name: &'static str,
    secret: bool,
    doc: &'static str,
    example: &'static str,
    field: fn(&mut Config) -> &mut dyn Field,
}

/// All settings, in the order of the documentation.
///
/// ```
/// use event_sdk::config::settings;
///
/// let url = settings().iter().find(|setting| setting.name() == "nats.url");
/// assert_eq!(url.map(|url| url.variable()).as_deref(), Some("EVENT_SDK_NATS__URL"));
/// ```
#[must_use]
pub fn settings() -> &'static [Setting] {
    TABLE
}

impl Setting {
    /// The dotted name, as in a file: `nats.url` is `url` in the table `[nats]`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The environment variable, with the default prefix: `EVENT_SDK_NATS__URL`.
    #[must_use]
    pub fn variable(&self) -> String {
        self.variable_under(super::VARIABLE_PREFIX)
    }

    /// Whether the value is a secret, which is never shown.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// What the setting does, in one line.
    #[must_use]
    pub const fn doc(&self) -> &'static str {
        self.doc
    }

    /// A valid value that is not the default.
    #[must_use]
    pub const fn example(&self) -> &'static str {
        self.example
    }

    /// What may be set, such as "`true` or `false`".
    #[must_use]
    pub fn allowed(&self) -> &'static str {
        (self.field)(&mut Config::default()).allowed()
    }

    /// The default as text; `None` if the setting has no default.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        self.text(&Config::default())
    }

    /// The value in `config` as text; `None` if it is not set. `…` stands for a secret. It also
    /// stands for a text that may be a secret, such as the contents of a credentials file in place
    /// of its path.
    #[must_use]
    pub fn shown(&self, config: &Config) -> Option<String> {
        let text = self.text(config)?;
        let hidden = self.secret || is_like_a_secret(&text);
        Some(if hidden { "…".to_owned() } else { text })
    }

    /// The environment variable under this prefix.
    pub(super) fn variable_under(&self, prefix: &str) -> String {
        let name = self.name.replace('.', "__").to_ascii_uppercase();
        format!("{prefix}{name}")
    }

    pub(super) fn text(&self, config: &Config) -> Option<String> {
        // A field is only found in a configuration that could be changed.
        (self.field)(&mut config.clone()).text()
    }

    /// Reads a text into its field. The error says what is wrong, without the text.
    pub(super) fn set(&self, config: &mut Config, text: &str) -> Result<(), String> {
        (self.field)(config).set(text)
    }

    /// Whether an error may show a wrong value.
    pub(super) fn may_show(&self) -> bool {
        !self.secret && (self.field)(&mut Config::default()).has_form()
    }
}

/// The setting of this name.
pub(super) fn named(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

const fn setting(
    name: &'static str,
    doc: &'static str,
    example: &'static str,
    field: fn(&mut Config) -> &mut dyn Field,
) -> Setting {
    Setting {
        name,
        secret: false,
        doc,
        example,
        field,
    }
}

const fn secret(
    name: &'static str,
    doc: &'static str,
    example: &'static str,
    field: fn(&mut Config) -> &mut dyn Field,
) -> Setting {
    Setting {
        secret: true,
        ..setting(name, doc, example, field)
    }
}

/// Whether a value has the form of a secret: of a URL with credentials, of PEM, of a JWT, or of a long
/// text that is neither a path nor a name of several tokens.
fn is_like_a_secret(text: &str) -> bool {
    let is_long = text.chars().count() > 32;
    text.contains(['@', '\n'])
        || text.contains("-----")
        || text.starts_with("eyJ")
        || (is_long && !text.contains(['/', '\\', '.', ',', '{']))
}

//! The `.env` template: all settings as environment variables, with documentation and defaults.

use std::fmt::Write as _;

use super::Config;
use super::settings::settings;

/// The most characters of a comment line.
const WIDTH: usize = 96;

const HEAD: &str = "\
# Settings of event-sdk. A line that begins with `#EVENT_SDK_` is off: remove the `#` to set it. The
# value there is the default; where there is none, the comment has an example.
# event-sdk reads variables and no `.env` file: the shell, Docker Compose or systemd does.
# EVENT_SDK_CONFIG_FILE names a TOML file with settings, which these variables replace.
";

impl Config {
    /// A template for a `.env` file: every setting, commented out, with its documentation and
    /// default.
    ///
    /// ```
    /// use event_sdk::config::Config;
    ///
    /// assert!(Config::env_template().contains("\n#EVENT_SDK_NATS__REQUEST_TIMEOUT=5s\n"));
    /// ```
    #[must_use]
    pub fn env_template() -> String {
        let mut text = HEAD.to_owned();
        for setting in settings() {
            let default = setting.default_text();
            let (doc, allowed) = (setting.doc(), setting.allowed());
            let mut comment = format!("{doc} {}.", capitalized(allowed));
            if default.is_none() {
                let _ = write!(comment, " Example: {}", setting.example());
            }
            text.push('\n');
            wrap(&comment, &mut text);
            let variable = setting.variable();
            let _ = writeln!(text, "#{variable}={}", default.unwrap_or_default());
        }
        text
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// Appends the text as comment lines.
fn wrap(text: &str, to: &mut String) {
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count() + 1;
        if width == 0 || width + length > WIDTH {
            to.push_str(if width == 0 { "#" } else { "\n#" });
            width = 1;
        }
        to.push(' ');
        to.push_str(word);
        width += length;
    }
    to.push('\n');
}

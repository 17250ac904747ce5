//! `Entry`: a setting, the text that was found for it, and where it was found.

use super::error::{ConfigProblem, Origin, ProblemKind};
use super::settings::Setting;

/// A setting that was found in the environment or in the file.
pub(super) struct Entry {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Whether a text that was found in a wrong place may be a secret: it is long, or has the form of a
/// URL with credentials or of PEM.
pub(super) fn may_be_secret(text: &str) -> bool {
    text.chars().count() > 32 || text.contains(['@', '\n']) || text.contains("-----")
}

impl Entry {
    /// The problem that the value is wrong, for this reason.
    pub(super) fn invalid(&self, why: &str) -> ConfigProblem {
        let text = &self.text;
        let hidden = !self.setting.may_show() || may_be_secret(text);
        let text = if text.trim().is_empty() {
            "it is empty; give it a value, or remove it".to_owned()
        } else if hidden {
            format!("the value (not shown) is refused: {why}")
        } else {
            format!("`{text}` is refused: {why}")
        };
        ConfigProblem::new(ProblemKind::InvalidValue, text)
            .of(self.setting.name())
            .from(Some(&self.origin))
    }
}

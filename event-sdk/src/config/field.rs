//! `Field`: reads the text of a setting into a field of the configuration, and writes it back.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use super::choice::Choice;
use super::secret::Secret;
use super::unit::{self, bytes_text, duration_text, parse_bytes, parse_duration};

/// A field of the configuration.
pub(super) trait Field {
    /// Reads the text. The error says what is wrong, and never repeats the text.
    fn set(&mut self, text: &str) -> Result<(), String>;

    /// The text that [`set`](Self::set) reads as this value; `None` if nothing is set.
    fn text(&self) -> Option<String>;

    /// What may be set, for errors and docs.
    fn allowed(&self) -> &'static str;

    /// Whether a wrong text has a form of its own, so that an error may show it. A text or a path
    /// takes everything, and what is wrong with it may be a secret.
    fn has_form(&self) -> bool {
        true
    }
}

impl Field for Option<String> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(text.to_owned());
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.clone()
    }

    fn allowed(&self) -> &'static str {
        "a text"
    }

    fn has_form(&self) -> bool {
        false
    }
}

impl Field for Option<Secret> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(Secret::from(text));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.as_ref().map(|secret| secret.expose().to_owned())
    }

    fn allowed(&self) -> &'static str {
        "a text, which is not shown"
    }

    fn has_form(&self) -> bool {
        false
    }
}

impl Field for Option<PathBuf> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(PathBuf::from(text));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        let path = self.as_ref()?;
        Some(path.to_string_lossy().into_owned())
    }

    fn allowed(&self) -> &'static str {
        "the path of a file"
    }

    fn has_form(&self) -> bool {
        false
    }
}

impl Field for Vec<String> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = items(text)?.map(str::to_owned).collect();
        Ok(())
    }

    fn text(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.join(","))
    }

    fn allowed(&self) -> &'static str {
        "texts with commas between them, or an array in a file"
    }

    fn has_form(&self) -> bool {
        false
    }
}

impl Field for Vec<PathBuf> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = items(text)?.map(PathBuf::from).collect();
        Ok(())
    }

    fn text(&self) -> Option<String> {
        let paths: Vec<_> = self.iter().map(|path| path.to_string_lossy()).collect();
        (!paths.is_empty()).then(|| paths.join(","))
    }

    fn allowed(&self) -> &'static str {
        "paths of files with commas between them, or an array in a file"
    }

    fn has_form(&self) -> bool {
        false
    }
}

/// The items of a list.
fn items(text: &str) -> Result<impl Iterator<Item = &str>, String> {
    let items = text.split(',').map(str::trim);
    if items.clone().any(str::is_empty) {
        return Err("an item of the list is empty".to_owned());
    }
    Ok(items)
}

impl Field for bool {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = if text.eq_ignore_ascii_case("true") {
            true
        } else if text.eq_ignore_ascii_case("false") {
            false
        } else {
            return Err(wrong(self.allowed()));
        };
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn allowed(&self) -> &'static str {
        "`true` or `false`"
    }
}

impl Field for Duration {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = parse_duration(text)?;
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(duration_text(*self))
    }

    fn allowed(&self) -> &'static str {
        unit::DURATION
    }
}

impl Field for Option<Duration> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(parse_duration(text)?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(duration_text)
    }

    fn allowed(&self) -> &'static str {
        unit::DURATION
    }
}

impl Field for usize {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = text.parse().map_err(|_| wrong(self.allowed()))?;
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn allowed(&self) -> &'static str {
        "a whole number"
    }
}

impl Field for Option<NonZeroU64> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(text.parse().map_err(|_| wrong(self.allowed()))?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(|number| number.to_string())
    }

    fn allowed(&self) -> &'static str {
        "a whole number of at least 1"
    }
}

/// A size in bytes; numbers of other things are `usize` or not zero.
impl Field for u64 {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = parse_bytes(text).ok_or_else(|| wrong(unit::BYTES))?;
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(bytes_text(*self))
    }

    fn allowed(&self) -> &'static str {
        unit::BYTES
    }
}

/// As [`u64`].
impl Field for Option<u64> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(parse_bytes(text).ok_or_else(|| wrong(unit::BYTES))?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(bytes_text)
    }

    fn allowed(&self) -> &'static str {
        unit::BYTES
    }
}

impl<C: Choice> Field for C {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = C::named(text).ok_or_else(|| wrong(C::ALLOWED))?;
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn allowed(&self) -> &'static str {
        C::ALLOWED
    }
}

impl<C: Choice> Field for Option<C> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(C::named(text).ok_or_else(|| wrong(C::ALLOWED))?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(|choice| choice.name().to_owned())
    }

    fn allowed(&self) -> &'static str {
        C::ALLOWED
    }
}

fn wrong(allowed: &str) -> String {
    format!("it has to be {allowed}")
}

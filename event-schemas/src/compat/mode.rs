//! `Mode` (backward, forward, full, …) and `ContentModel` (open or closed to unknown fields).

use std::fmt;
use std::str::FromStr;

/// Which versions of an event must be able to read each other's data.
///
/// The names are Confluent's. A mode applies within a major version. For older and newer majors,
/// see [`compat`](crate::compat).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// No versions are compared; the code and the files must still agree.
    None,
    /// The reader of a version reads data of the previous version: stored events, and events of
    /// publishers that are not updated yet.
    Backward,
    /// Like `BACKWARD`, with every version that was ever committed.
    BackwardTransitive,
    /// Readers of the previous version read data of this version, because some consumers are not
    /// updated yet.
    Forward,
    /// Like `FORWARD`, with every version that was ever committed.
    ForwardTransitive,
    /// `BACKWARD` and `FORWARD`, compared with the previous version.
    Full,
    /// `BACKWARD` and `FORWARD`, compared with every committed version. The wire contract promises
    /// this for minor versions, so it is the default.
    #[default]
    FullTransitive,
}

impl Mode {
    /// All modes, from the least to the most strict.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
    ];

    /// The name as it is written in options and files, such as `FULL_TRANSITIVE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether new readers must read what old writers wrote.
    #[must_use]
    pub const fn is_backward(self) -> bool {
        matches!(
            self,
            Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    /// Whether old readers must read what new writers write.
    #[must_use]
    pub const fn is_forward(self) -> bool {
        matches!(
            self,
            Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    /// Whether every committed version is compared, and not only the previous one.
    #[must_use]
    pub const fn is_transitive(self) -> bool {
        matches!(
            self,
            Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive
        )
    }

    /// Whether this mode compares two versions in this direction.
    #[must_use]
    pub const fn asks(self, direction: Direction) -> bool {
        match direction {
            Direction::Backward => self.is_backward(),
            Direction::Forward => self.is_forward(),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = UnknownName;

    /// Takes the name in any case, with `-` or `_`.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let name = text.to_ascii_uppercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| UnknownName::new("mode", text, &Self::ALL.map(Self::name)))
    }
}

/// Which of two versions reads the data of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The new reader reads what the old writer wrote.
    Backward,
    /// The old reader reads what the new writer writes.
    Forward,
}

impl Direction {
    /// The name as reports write it: `BACKWARD` or `FORWARD`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backward => "BACKWARD",
            Self::Forward => "FORWARD",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Defines what a reader does with a field that is not in its schema.
///
/// A *writer* is always assumed to write exactly the fields that it declares. For this reason a new
/// optional field does not break a tolerant reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ContentModel {
    /// The reader ignores the field, as serde and this SDK do. A type with
    /// `#[serde(deny_unknown_fields)]` always counts as strict.
    #[default]
    Tolerant,
    /// The reader refuses the document, as validators in front of a consumer and some generated
    /// clients do.
    Strict,
}

impl ContentModel {
    /// Both content models.
    pub const ALL: [Self; 2] = [Self::Tolerant, Self::Strict];

    /// The name as it is written in options and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tolerant => "tolerant",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for ContentModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ContentModel {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let name = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| UnknownName::new("content model", text, &Self::ALL.map(Self::name)))
    }
}

/// A text that is not one of the known names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}; there are {known}")]
pub struct UnknownName {
    what: &'static str,
    text: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, text: &str, known: &[&str]) -> Self {
        Self {
            what,
            text: text.chars().take(40).collect(),
            known: known.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_in_either_spelling() {
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
            let spelt = mode.name().to_lowercase().replace('_', "-");
            assert_eq!(spelt.parse(), Ok(mode));
        }
        for model in ContentModel::ALL {
            assert_eq!(model.name().parse(), Ok(model));
        }
    }

    #[test]
    fn an_unknown_name_lists_those_there_are() {
        let error = "sideways".parse::<Mode>().unwrap_err().to_string();
        assert!(error.starts_with("\"sideways\" is no mode; there are NONE, BACKWARD,"));
    }
}

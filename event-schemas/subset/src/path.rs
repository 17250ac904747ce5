//! `Path`: a place in a document, such as `items[].price`.

use std::fmt;

/// The place of a value in a document, as steps from the document's root.
///
/// Displayed as `items[].price`; the root is displayed as `$`.
///
/// ```
/// use event_schemas_subset::{Path, Step};
///
/// let price = Path::root()
///     .join(Step::Key("items".to_owned()))
///     .join(Step::EveryItem)
///     .join(Step::Key("price".to_owned()));
/// assert_eq!(price.to_string(), "items[].price");
/// assert_eq!(Path::root().to_string(), "$");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    steps: Vec<Step>,
}

/// One step of a [`Path`], from a value into one of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// The value of the property with this name: `.name`.
    Key(String),
    /// The values of the properties that no schema names: `.*`.
    EveryKey,
    /// The item at this index, counted from 0: `[0]`.
    Index(usize),
    /// All items of an array: `[]`.
    EveryItem,
}

impl Path {
    /// The path of the document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the path of the document itself.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns this path with one more step.
    pub fn join(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("$");
        }
        for (at, step) in self.steps.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match step {
                Step::Key(key) if is_plain(key) => write!(f, "{dot}{key}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::EveryKey => write!(f, "{dot}*")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::EveryItem => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can be read in a path without quotes.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || "_-$@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_are_quoted() {
        let path = Path::root()
            .join(Step::Key("a.b".to_owned()))
            .join(Step::Index(2))
            .join(Step::EveryKey)
            .join(Step::Key(String::new()));
        assert_eq!(path.to_string(), r#"["a.b"][2].*[""]"#);
    }
}

//! `Slot`: the value of an attribute key, which may be given once.

use proc_macro2::Ident;

/// The value of a key: absent, written wrongly, or written.
///
/// A key that was written wrongly is not absent: nobody wants to read that
/// `domain` is missing next to the complaint about `domian`.
#[derive(Default)]
pub(crate) enum Slot<T> {
    #[default]
    Absent,
    Broken,
    Given(Given<T>),
}

/// A value, and the key to point at.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

impl<T> Slot<T> {
    /// Takes the value of `key`.
    ///
    /// # Errors
    ///
    /// What is wrong with the value, or that there is one already.
    pub(crate) fn fill(&mut self, key: &Ident, value: syn::Result<T>) -> syn::Result<()> {
        if !matches!(self, Self::Absent) {
            return Err(syn::Error::new_spanned(
                key,
                format!("`{key}` is written twice; remove one of the two"),
            ));
        }
        match value {
            Ok(value) => {
                *self = Self::Given(Given {
                    key: key.clone(),
                    value,
                });
                Ok(())
            }
            Err(error) => {
                *self = Self::Broken;
                Err(error)
            }
        }
    }

    /// Notes that the key was meant, but is misspelt.
    pub(crate) fn misspelt(&mut self) {
        if matches!(self, Self::Absent) {
            *self = Self::Broken;
        }
    }

    /// The value with its key, if it is well formed.
    pub(crate) fn given(&self) -> Option<&Given<T>> {
        match self {
            Self::Given(given) => Some(given),
            Self::Absent | Self::Broken => None,
        }
    }

    /// The value, if it is well formed.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Given(given) => Some(given.value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Whether the key was not written at all.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

//! `Unsettled`: which deliveries of a batch could not be settled, each with its error.

use std::fmt;

use super::Error;

/// The deliveries of a batch that were not settled, each with its error. All others were settled.
///
/// The listed deliveries may be settled again, alone or together.
pub struct Unsettled {
    /// By the place in the batch, rising.
    failed: Vec<(usize, Error)>,
    of: usize,
}

impl Unsettled {
    /// `Ok` if `failed` is empty. `failed` has the index in the batch and the error of each
    /// delivery that was not settled; `of` is the size of the batch.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] if `failed` is not empty.
    pub fn check(mut failed: Vec<(usize, Error)>, of: usize) -> Result<(), Self> {
        if failed.is_empty() {
            return Ok(());
        }
        failed.sort_by_key(|(place, _)| *place);
        Err(Self { failed, of })
    }

    /// Index in the batch and error of each delivery that was not settled, in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, &Error)> {
        self.failed.iter().map(|(place, error)| (*place, error))
    }

    /// Number of deliveries that were not settled; never zero.
    #[expect(
        clippy::len_without_is_empty,
        reason = "there is at least one, or there would be no error"
    )]
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    /// The errors with their indices in the batch, in ascending order.
    pub fn into_errors(self) -> Vec<(usize, Error)> {
        self.failed
    }
}

/// Converts to the first error, for callers that handle the whole batch again.
impl From<Unsettled> for Error {
    fn from(unsettled: Unsettled) -> Self {
        let mut errors = unsettled.failed.into_iter();
        match errors.next() {
            Some((_, error)) => error,
            // `check` makes none without an error.
            None => Self::new(
                super::ErrorKind::Other,
                super::Operation::Settle,
                "no delivery of the batch is named",
            ),
        }
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, of) = (self.failed.len(), self.of);
        write!(f, "{failed} of {of} deliveries were not settled")
    }
}

impl fmt::Debug for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsettled")
            .field("of", &self.of)
            .field("failed", &self.failed)
            .finish()
    }
}

impl std::error::Error for Unsettled {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let (_, first) = self.failed.first()?;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::transport::{ErrorKind, Operation};

    #[test]
    fn it_names_each_that_failed_and_gives_the_first_reason() {
        assert!(Unsettled::check(Vec::new(), 3).is_ok());
        let error = |reason: &str| Error::new(ErrorKind::Other, Operation::Settle, reason);
        let failed = vec![(2, error("late")), (0, error("early"))];
        let unsettled = Unsettled::check(failed, 3).unwrap_err();
        let places: Vec<_> = unsettled.iter().map(|(place, _)| place).collect();
        assert_eq!((places, unsettled.len()), (vec![0, 2], 2));
        assert_eq!(unsettled.to_string(), "2 of 3 deliveries were not settled");
        let source = unsettled.source().unwrap().to_string();
        assert!(source.contains("early"), "{source}");
        assert!(Error::from(unsettled).to_string().contains("early"));
    }
}

//! Validates the filters of a history request: none that matches nothing, none twice.

use super::source::Source;
use crate::error::ErrorContext;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Error, ErrorKind};

/// Whether `filters` can select messages of a stream.
pub(super) async fn check(
    about: &ErrorContext,
    filters: &[Pattern],
    config: &StreamConfig,
    source: &Source,
) -> Result<(), Error> {
    if filters.is_empty() {
        return Err(about.error(
            ErrorKind::InvalidOption,
            "there is no filter; name at least one pattern, `>` for every subject of the stream",
        ));
    }
    for (index, one) in filters.iter().enumerate() {
        if let Some(other) = filters[..index].iter().find(|other| other.overlaps(one)) {
            return Err(about.error(
                ErrorKind::InvalidOption,
                format!(
                    "the filters {other} and {one} overlap; a message must match one of them only, so leave out the narrower or make them distinct"
                ),
            ));
        }
        let stores = |subjects: &[Pattern]| subjects.iter().any(|stored| stored.overlaps(one));
        // A mirror names no subjects, and what was stored under a subject that
        // is not the stream's any more is there still.
        if !stores(&config.subjects) && source.last_of(one.as_str()).await?.is_none() {
            return Err(about
                .error(
                    ErrorKind::InvalidSubject,
                    format!(
                        "{one} can match nothing here; the stream stores {:?}",
                        config.subjects
                    ),
                )
                .at_subject(one));
        }
    }
    Ok(())
}

//! `Denials`: which requests of a keeper the server denies now.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind};

/// A request of a keeper that the server denies. The readiness of the consumer and the health of the service
/// follow from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Denied {
    /// The error of one request that is denied; `None` if none is, as far as is known.
    pub(crate) why: Option<Text>,
    /// Whether a partition has no owner, as far as this process knows, and this process cannot own it.
    pub(crate) unowned: bool,
}

/// What an answer says about the permission for its request.
#[derive(Debug)]
pub(super) enum Permission {
    Given,
    /// With the error.
    Denied(Text),
    /// There was no answer, or another error.
    Unknown,
}

impl Permission {
    pub(super) fn of<T>(result: Option<&Result<T, Error>>) -> Self {
        match result {
            Some(Ok(_)) => Self::Given,
            Some(Err(error)) => Self::of_error(error),
            None => Self::Unknown,
        }
    }

    fn of_error(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied => Self::Denied(error.to_string().into()),
            // The server has looked at the request.
            ErrorKind::WrongRevision { .. } => Self::Given,
            _ => Self::Unknown,
        }
    }
}

/// Whether one kind of request is denied.
#[derive(Debug, Default)]
pub(super) struct Denial(Option<Text>);

impl Denial {
    /// The error, while it is denied.
    pub(super) fn why(&self) -> Option<&Text> {
        self.0.as_ref()
    }

    pub(super) fn is(&self) -> bool {
        self.0.is_some()
    }

    /// It is not known any more.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// Takes in an answer, and reports once that the request is denied, and once that it is not any more.
    /// `what` completes "a consumer may not", and `then` says what follows.
    pub(super) fn learn(&mut self, permission: Permission, what: &str, key: &str, then: &str) {
        match permission {
            Permission::Denied(why) => {
                if self.0.is_none() {
                    tracing::warn!(
                        target: crate::TRACING_TARGET,
                        key,
                        error = %why,
                        "a consumer may not {what}, so that {then}; it is tried again"
                    );
                }
                self.0 = Some(why);
            }
            Permission::Given => {
                if self.0.take().is_some() {
                    tracing::info!(
                        target: crate::TRACING_TARGET,
                        key,
                        "a consumer may {what} again"
                    );
                }
            }
            // It says nothing.
            Permission::Unknown => {}
        }
    }
}

//! The kinds of errors in words.

use std::fmt;

use super::ErrorKind;

impl fmt::Display for ErrorKind {
    /// A clause without names and reasons, such as `there is no connection to a server`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidSubject => "a subject or key is malformed",
            Self::InvalidHeader => "a header is invalid",
            Self::InvalidOption => "an option is invalid",
            Self::Encode => "the event cannot be encoded",
            Self::TooLarge { size, limit } => {
                return write!(f, "{size} bytes are more than the limit of {limit}");
            }
            Self::NoStream => "no stream stores the subject",
            Self::StreamNotFound => "the stream does not exist",
            Self::StreamExists => "the stream exists",
            Self::InvalidSnapshot => "the snapshot cannot be restored",
            Self::StreamFull => "the stream is full",
            Self::DeletionDenied => "the stream does not allow deletion",
            Self::WrongLastSequence { .. } => "the last sequence is not the expected one",
            Self::BucketNotFound => "the bucket does not exist",
            Self::WrongRevision { .. } => "the revision is not the expected one",
            Self::ConsumerMismatch { .. } => "the consumer has other settings",
            Self::ConsumerNotFound => "the consumer does not exist",
            Self::StreamWentBack { position, last } => {
                return write!(
                    f,
                    "the stream ends at sequence {last}, before the position {position} of the consumer"
                );
            }
            Self::Timeout => "the operation timed out",
            Self::Closed => "the transport is closed, or is being drained",
            Self::Disconnected => "there is no connection to a server",
            Self::Unauthenticated => "the server does not accept the credentials",
            Self::Tls => "no TLS connection can be made",
            Self::PermissionDenied => "a permission is missing",
            Self::NotConfigured => "the service is not configured to use a transport",
            Self::Unsupported(capability) => {
                return write!(f, "{capability} is not supported");
            }
            Self::Other => "the transport failed",
        })
    }
}

//! What `doctor` could not read, and what this means.

use event_sdk::Error;
use event_sdk::transport::ErrorKind;

use super::code::Code;
use super::finding::Findings;

/// What makes a part of the topology.
pub(super) const APPLY: &str = "look at `streams plan`, and make the change with `streams apply`";

/// Adds why something could not be looked at.
pub(super) fn unread(thing: &str, error: &Error, findings: &mut Findings) {
    if denied(error, findings) {
        return;
    }
    let problem = format!("cannot be read: {}", crate::error::chain(error));
    match error.kind() {
        ErrorKind::Unsupported(_) => findings.add(
            Code::JetStreamMissing,
            "server",
            problem,
            "start the server with `jetstream` in its configuration, or enable it for the account",
        ),
        ErrorKind::StreamNotFound | ErrorKind::NoStream => {
            findings.add(Code::StreamMissing, thing, problem, APPLY);
        }
        ErrorKind::ConsumerNotFound => findings.add(Code::ConsumerMissing, thing, problem, APPLY),
        ErrorKind::InvalidOption | ErrorKind::InvalidSubject => findings.add(
            Code::ConfigInvalid,
            thing,
            problem,
            "correct the declaration in the code of the program",
        ),
        _ => findings.add(
            Code::ServerUnreachable,
            thing,
            problem,
            "look whether the server runs, and whether a majority of its cluster is there",
        ),
    }
}

/// Adds that the user may not make a request of `doctor`.
pub(super) fn denied(error: &Error, findings: &mut Findings) -> bool {
    let is = *error.kind() == ErrorKind::PermissionDenied;
    if is {
        findings.add(
            Code::PermissionMissing,
            // Each subject is a finding of its own.
            match error.subject() {
                Some(subject) => format!("user without `{subject}`"),
                None => "user".to_owned(),
            },
            format!("may not look: {}", crate::error::chain(error)),
            "give the user this permission, as docs/production.md lists it for `doctor` and for services that manage streams, or run `doctor` as another user",
        );
    }
    is
}

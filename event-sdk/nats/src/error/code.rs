//! JetStream error codes (nats-server, `server/errors.json`), and the kind for each.

use event_sdk_core::transport::{Capability, ErrorKind};

pub(crate) const STREAM_NOT_FOUND: u64 = 10059;
/// A stream of this name exists and is another.
pub(crate) const STREAM_EXISTS: u64 = 10058;
pub(crate) const CONSUMER_NOT_FOUND: u64 = 10014;
/// There is no consumer of this name that could be changed.
pub(crate) const CONSUMER_NOT_THERE: u64 = 10149;
/// A consumer of this name exists and is another, or is just being created.
pub(crate) const CONSUMER_EXISTS: [u64; 3] = [10148, 10013, 10105];
pub(crate) const MESSAGE_NOT_FOUND: u64 = 10037;
pub(crate) const SEQUENCE_NOT_FOUND: u64 = 10043;
/// A message could not be deleted: it is not there, or the stream does not allow it.
pub(crate) const DELETION_FAILED: u64 = 10057;
pub(crate) const MESSAGE_TOO_LARGE: u64 = 10054;
/// A message with the same id is being stored.
pub(crate) const DUPLICATE_IN_PROCESS: u64 = 10158;
/// A stream has moved on from what a publish expected. The second without
/// saying to where: in a cluster, while a message is on its way to the others.
pub(crate) const WRONG_LAST_SEQUENCE: [u64; 2] = [10071, WRONG_LAST_SEQUENCE_UNKNOWN];
pub(crate) const WRONG_LAST_SEQUENCE_UNKNOWN: u64 = 10164;
/// The stream takes no messages with a TTL.
pub(crate) const MESSAGE_TTL_DISABLED: u64 = 10166;

/// A stream of this name exists, where a restore is to create one.
pub(crate) const RESTORE_EXISTS: u64 = 10130;

/// No server can keep the stream: too few, or none with the tags.
pub(crate) const NO_PLACE: u64 = 10005;

/// The stream allows no schedules.
pub(crate) const SCHEDULES_DISABLED: u64 = 10188;

/// The last sequence in `wrong last sequence: 41`.
pub(super) fn last_sequence(description: &str) -> Option<u64> {
    description.rsplit(' ').next()?.parse().ok()
}

/// What kind of failure a code is, and what to do about it.
pub(super) fn kind(code: u64, description: &str) -> (ErrorKind, &'static str) {
    match code {
        STREAM_NOT_FOUND => (
            ErrorKind::StreamNotFound,
            "create it, with `apply_stream` for example",
        ),
        // A sealed stream, or one with `deny_delete` or `deny_purge` (nats-server,
        // `server/jetstream_api.go`).
        10109 => (ErrorKind::DeletionDenied, ""),
        DELETION_FAILED | 10110 if description.ends_with("not permitted") => {
            (ErrorKind::DeletionDenied, "the stream is configured so")
        }
        // The stream does not allow roll-ups (nats-server, `server/stream.go`).
        10111 if description.ends_with("not permitted") => (
            ErrorKind::DeletionDenied,
            "declare the stream with `allow_rollup(true)`, unless it denies purging",
        ),
        // A reset of a consumer that did not start at the oldest message, a sequence or a time, or to a
        // position before its start (nats-server, `server/consumer.go`, `resetStartingSeq`).
        10204 => (ErrorKind::InvalidOption, ""),
        CONSUMER_NOT_FOUND | CONSUMER_NOT_THERE => (ErrorKind::ConsumerNotFound, ""),
        10071 | WRONG_LAST_SEQUENCE_UNKNOWN => (
            ErrorKind::WrongLastSequence {
                last: last_sequence(description),
            },
            "read what has happened since, and decide anew",
        ),
        MESSAGE_TTL_DISABLED => (
            ErrorKind::InvalidOption,
            "apply the bucket again, on a server that has message TTLs",
        ),
        // Storing failed: the limits of the stream, told by their texts
        // (nats-server, `server/store.go`).
        10077 if description.starts_with("maximum ") => (
            ErrorKind::StreamFull,
            "make room, raise its limits, or let it discard the old",
        ),
        // Of the account or the server.
        10002 | 10023 | 10028 | 10047 => (
            ErrorKind::StreamFull,
            "make room, or raise the limits of the account or the server",
        ),
        10097 => (
            ErrorKind::InvalidHeader,
            "put long values into the event instead",
        ),
        // No place for it: while a server is unavailable, or ever.
        10005 if description.contains("offline") => (
            ErrorKind::Timeout,
            "try again when all servers of the cluster are there",
        ),
        10005 => (
            ErrorKind::InvalidOption,
            "a stream has no more replicas than its cluster has servers",
        ),
        RESTORE_EXISTS => (
            ErrorKind::StreamExists,
            "a restore creates a stream, and changes none: delete the one that exists if it is not needed, or restore on another server",
        ),
        10062 => (
            ErrorKind::InvalidSnapshot,
            "the snapshot is damaged or incomplete, or a newer server has written it",
        ),
        // A memory store has none (nats-server before 2.15, `server/memstore.go`).
        10064 if description.contains("no impl") => (
            ErrorKind::Unsupported(Capability::Snapshots),
            "this server makes no snapshots of streams in memory; upgrade it, or keep the stream on disk",
        ),
        SCHEDULES_DISABLED => (
            ErrorKind::InvalidOption,
            "declare the stream with `schedules()`, and apply it",
        ),
        10190 => (
            ErrorKind::InvalidSubject,
            "a message is scheduled in the stream that stores its subject",
        ),
        // No leader, no quorum, offline, too much at once: for a while.
        10008 | 10009 | 10041 | 10118 | 10119 | 10163 | 10167 | 10194 | 10195 => {
            (ErrorKind::Timeout, "try again")
        }
        DUPLICATE_IN_PROCESS => (
            ErrorKind::Timeout,
            "a message with the same id is being stored; try again",
        ),
        10039 | 10076 => (
            ErrorKind::Unsupported(Capability::Store),
            "enable JetStream for this account, or name the domain that has it",
        ),
        // What is asked for contradicts itself, a limit, or what exists.
        10003
        | 10024..=10027
        | 10034
        | 10052
        | 10053
        | STREAM_EXISTS
        | 10061
        | 10065
        | 10074
        | 10084
        | 10098
        | 10055
        | 10113
        | 10122
        | 10060
        | 10186
        | 10187 => (ErrorKind::InvalidOption, ""),
        // Consumers of a work queue.
        10099..=10101 => (
            ErrorKind::InvalidOption,
            "a work queue gives each message to one consumer, from the first on; narrow the filters until they are apart, or share one durable",
        ),
        _ => (ErrorKind::Other, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        let wrong = |last| ErrorKind::WrongLastSequence { last };
        for (code, description, wanted) in [
            (10059, "stream not found", ErrorKind::StreamNotFound),
            (10014, "consumer not found", ErrorKind::ConsumerNotFound),
            (10071, "wrong last sequence: 41", wrong(Some(41))),
            (10071, "wrong last sequence: 0", wrong(Some(0))),
            (10164, "wrong last sequence", wrong(None)),
            (10077, "maximum messages exceeded", ErrorKind::StreamFull),
            (10077, "maximum bytes exceeded", ErrorKind::StreamFull),
            (
                10077,
                "maximum messages per subject exceeded",
                ErrorKind::StreamFull,
            ),
            (10077, "no space left on device", ErrorKind::Other),
            (10047, "insufficient storage", ErrorKind::StreamFull),
            (10008, "temporarily unavailable", ErrorKind::Timeout),
            (
                10005,
                "no suitable peers for placement, peer offline",
                ErrorKind::Timeout,
            ),
            (
                10005,
                "no suitable peers for placement",
                ErrorKind::InvalidOption,
            ),
            (10065, "subjects overlap", ErrorKind::InvalidOption),
            (
                10100,
                "filtered consumer not unique on workqueue stream",
                ErrorKind::InvalidOption,
            ),
            (
                10076,
                "JetStream not enabled",
                ErrorKind::Unsupported(Capability::Store),
            ),
            (
                10057,
                "message delete not permitted",
                ErrorKind::DeletionDenied,
            ),
            (10111, "rollup not permitted", ErrorKind::DeletionDenied),
            (10057, "stream store EOF", ErrorKind::Other),
            (
                10110,
                "stream purge not permitted",
                ErrorKind::DeletionDenied,
            ),
            (
                10188,
                "message schedules is disabled",
                ErrorKind::InvalidOption,
            ),
            (
                10190,
                "message schedules target is invalid",
                ErrorKind::InvalidSubject,
            ),
            (0, "something new", ErrorKind::Other),
        ] {
            assert_eq!(kind(code, description).0, wanted, "{code} {description}");
        }
    }
}

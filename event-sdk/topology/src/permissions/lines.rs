//! The subjects of each ability of a service. The rows of the table in `docs/production.md` consist
//! of these, which a test compares; `tests/tests/secure/permissions.rs` executes that table.
//!
//! In braces: `stream`, `durable`, its `filter`; `bucket` and its stream `kv`; `consumer` is the token of a
//! consumer's name, `dlq` and `retry` are streams of dead letters, `under` the tokens before their
//! subjects.

/// A subject with placeholders, and what it is needed for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) subject: &'static str,
    pub(super) purpose: &'static str,
}

const fn line(subject: &'static str, purpose: &'static str) -> Line {
    Line { subject, purpose }
}

/// Requests and settles the events of a durable.
pub(super) const TAKES: &[Line] = &[
    line(
        "$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        "requests events of {stream}",
    ),
    line("$JS.ACK.{stream}.{durable}.>", "settles events of {stream}"),
];

/// Finds a durable, and the gaps in its stream.
pub(super) const BINDS: &[Line] = &[
    line(
        "$JS.API.CONSUMER.INFO.{stream}.{durable}",
        "reads the settings and the position of the durable {durable}",
    ),
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "reads the subjects and the state of {stream}",
    ),
];

/// Creates or changes a durable with one filter, which stands in the subject.
pub(super) const CREATES_ONE: &[Line] = &[line(
    "$JS.API.CONSUMER.CREATE.{stream}.{durable}.{filter}",
    "creates the durable {durable}",
)];

/// Creates or changes a durable with several filters: the server does not check which.
pub(super) const CREATES_SEVERAL: &[Line] = &[line(
    "$JS.API.CONSUMER.CREATE.{stream}.{durable}",
    "creates the durable {durable}",
)];

/// To subscribe to: is told of exhausted events.
pub(super) const HEARS_EXHAUSTED: &[Line] = &[line(
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{stream}.{durable}",
    "hears of events that reach max_deliver",
)];

/// Receives events by consumers without a name, which it creates and deletes.
pub(super) const SUBSCRIBES_UNNAMED: &[Line] = &[
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "reads the subjects and the state of {stream}",
    ),
    line(
        "$JS.API.CONSUMER.CREATE.{stream}",
        "creates consumers without a name in {stream}",
    ),
    line(
        "$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        "requests events of {stream}",
    ),
    line(
        "$JS.API.CONSUMER.DELETE.{stream}.*",
        "deletes its consumers without a name in {stream}",
    ),
    line("$JS.ACK.{stream}.*.>", "settles events of {stream}"),
];

/// Creates a consumer without a name again that the server has lost.
pub(super) const CREATES_AGAIN: &[Line] = &[line(
    "$JS.API.CONSUMER.INFO.{stream}.*",
    "finds out whether {stream} has lost a consumer",
)];

/// Reads stored events without a consumer.
pub(super) const READS: &[Line] = &[
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "reads the subjects and the state of {stream}",
    ),
    line(
        "$JS.API.DIRECT.GET.{stream}",
        "reads stored events of {stream}",
    ),
    line(
        "$JS.API.STREAM.MSG.GET.{stream}",
        "reads stored events of {stream}",
    ),
];

/// Reads a single message.
pub(super) const GETS: &[Line] = &[line(
    "$JS.API.STREAM.MSG.GET.{stream}",
    "reads single events of {stream}",
)];

/// Deletes single messages.
pub(super) const DELETES: &[Line] = &[line(
    "$JS.API.STREAM.MSG.DELETE.{stream}",
    "deletes single events of {stream}",
)];

/// Purges a stream.
pub(super) const PURGES: &[Line] = &[line("$JS.API.STREAM.PURGE.{stream}", "purges {stream}")];

/// A relay of an outbox reads back what it has published.
pub(super) const RELAYS: &[Line] = &[
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "the relay finds out whether {stream} went back",
    ),
    line(
        "$JS.API.STREAM.MSG.GET.{stream}",
        "the relay finds out whether {stream} went back",
    ),
];

/// Publishes later.
pub(super) const SCHEDULES: &[Line] = &[
    line("schedules.{stream}.>", "schedules events of {stream}"),
    line(
        "$JS.API.STREAM.MSG.GET.{stream}",
        "finds scheduled events of {stream}",
    ),
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "reads whether {stream} allows schedules",
    ),
];

/// Cancels and lists what is to be published later.
pub(super) const CANCELS: &[Line] = &[
    line(
        "$JS.API.STREAM.MSG.GET.{stream}",
        "finds scheduled events of {stream}",
    ),
    line(
        "$JS.API.STREAM.MSG.DELETE.{stream}",
        "cancels scheduled events of {stream}",
    ),
    line(
        "$JS.API.STREAM.INFO.{stream}",
        "reads whether {stream} allows schedules",
    ),
    line(
        "$JS.API.DIRECT.GET.{stream}",
        "lists scheduled events of {stream}",
    ),
];

/// Writes attempt records.
pub(super) const RECORDS: &[Line] = &[line(
    "$KV.{bucket}.attempts.{consumer}.>",
    "counts attempts across restarts",
)];

/// Reads attempt records on a single server.
pub(super) const READS_RECORDS: &[Line] = &[line(
    "$JS.API.DIRECT.GET.{kv}",
    "reads entries of the bucket {bucket}",
)];

/// Reads attempt records in a cluster, where the leader is asked.
pub(super) const READS_RECORDS_OF_CLUSTER: &[Line] = &[line(
    "$JS.API.STREAM.MSG.GET.{kv}",
    "reads entries of the bucket {bucket}",
)];

/// Leases of a consumer with one owner, or with partitions.
pub(super) const OWNS: &[Line] = &[
    line(
        "$KV.{bucket}.owners.{consumer}.>",
        "holds the leases of the consumer {consumer}",
    ),
    line(
        "$JS.API.DIRECT.GET.{kv}",
        "reads entries of the bucket {bucket}",
    ),
    line(
        "$JS.API.STREAM.MSG.GET.{kv}",
        "reads entries of the bucket {bucket}",
    ),
];

/// Reads and writes every entry of the bucket.
pub(super) const COORDINATES: &[Line] = &[
    line("$KV.{bucket}.>", "writes entries of the bucket {bucket}"),
    line(
        "$JS.API.DIRECT.GET.{kv}",
        "reads entries of the bucket {bucket}",
    ),
    line(
        "$JS.API.STREAM.MSG.GET.{kv}",
        "reads entries of the bucket {bucket}",
    ),
];

/// Keeps dead letters.
pub(super) const KEEPS_LETTERS: &[Line] = &[
    line("{under}dlq.{consumer}.>", "keeps dead letters"),
    line(
        "{under}dlq.=rest.{consumer}.>",
        "keeps dead letters that are too large for one message",
    ),
    line(
        "$JS.API.STREAM.INFO.{dlq}",
        "checks the dead-letter stream when the consumer starts",
    ),
    line(
        "$JS.API.STREAM.INFO.{retry}",
        "checks the retry stream when the consumer starts",
    ),
    line(
        "$JS.API.DIRECT.GET.{dlq}",
        "compares a dead letter that is kept already",
    ),
    line(
        "$JS.API.STREAM.MSG.GET.{dlq}",
        "compares a dead letter that is kept already",
    ),
];

/// Keeps dead letters in tables.
pub(super) const KEEPS_IN_TABLES: &[Line] = &[line(
    "$JS.API.STREAM.INFO.{retry}",
    "checks the retry stream when the consumer starts",
)];

/// Redrives dead letters of tables.
pub(super) const REDRIVES_OF_TABLES: &[Line] =
    &[line("{under}retry.{consumer}.>", "redrives dead letters")];

/// Receives redriven dead letters under a durable that it creates itself.
pub(super) const RECEIVES_REDRIVEN: &[Line] = &[
    line(
        "$JS.API.CONSUMER.INFO.{retry}.{durable}",
        "finds the durable {durable} of {retry}",
    ),
    line(
        "$JS.API.CONSUMER.CREATE.{retry}.{durable}.{under}retry.{consumer}.>",
        "creates the durable {durable} of {retry}",
    ),
    line(
        "$JS.API.CONSUMER.MSG.NEXT.{retry}.{durable}",
        "requests redriven events",
    ),
    line("$JS.ACK.{retry}.{durable}.>", "settles redriven events"),
];

/// Parks events of a key that is held.
pub(super) const PARKS: &[Line] = &[
    line(
        "{under}dlq.=park.{consumer}.>",
        "parks events of a key that is held",
    ),
    line(
        "{under}dlq.=state.{consumer}.>",
        "writes what became of parked events",
    ),
    line(
        "{under}dlq.=request.{consumer}.>",
        "answers requests to release a key",
    ),
    line("$JS.API.STREAM.INFO.{dlq}", "reads parked events"),
    line("$JS.API.DIRECT.GET.{dlq}", "reads parked events"),
    line("$JS.API.STREAM.MSG.GET.{dlq}", "reads parked events"),
];

/// Reads and redrives dead letters.
pub(super) const REDRIVES: &[Line] = &[
    line("{under}retry.{consumer}.>", "redrives dead letters"),
    line(
        "{under}dlq.=state.{consumer}.>",
        "writes what became of dead letters",
    ),
    line(
        "{under}dlq.=request.{consumer}.>",
        "requests the release of keys",
    ),
    line("$JS.API.STREAM.INFO.{dlq}", "reads dead letters"),
    line("$JS.API.DIRECT.GET.{dlq}", "reads dead letters"),
    line("$JS.API.STREAM.MSG.GET.{dlq}", "reads dead letters"),
    line("$JS.API.STREAM.INFO.{retry}", "reads redriven events"),
    line("$JS.API.DIRECT.GET.{retry}", "reads redriven events"),
    line("$JS.API.STREAM.MSG.GET.{retry}", "reads redriven events"),
];

/// Reads how far a durable is, as `RedriveOutcome` needs it.
pub(super) const LOOKS_AT_DURABLE: &[Line] = &[line(
    "$JS.API.CONSUMER.INFO.{stream}.{durable}",
    "reads the position of the durable {durable} of {stream}",
)];

/// Writes a stream into a file.
pub(super) const BACKS_UP: &[Line] = &[
    line("$JS.API.STREAM.SNAPSHOT.{stream}", "backs {stream} up"),
    line(
        "$JS.SNAPSHOT.ACK.{stream}.>",
        "receives the parts of a backup of {stream}",
    ),
];

/// Lists the consumers of a stream.
pub(super) const LISTS_CONSUMERS: &[Line] = &[line(
    "$JS.API.CONSUMER.LIST.{stream}",
    "lists the consumers of {stream}",
)];

/// Pauses a durable, and lets it go on.
pub(super) const PAUSES: &[Line] = &[line(
    "$JS.API.CONSUMER.PAUSE.{stream}.{durable}",
    "pauses the durable {durable}",
)];

/// Moves a durable to another position.
pub(super) const RESETS: &[Line] = &[line(
    "$JS.API.CONSUMER.RESET.{stream}.{durable}",
    "moves the durable {durable} to another position",
)];

/// Finds out whether a consumer has or had another number of partitions.
pub(super) const COUNTS_PARTITIONS: &[Line] = &[line(
    "$JS.API.CONSUMER.INFO.{stream}.{durable}",
    "finds out whether the consumer {consumer} had other partitions",
)];

/// Reads the state of a stream.
pub(super) const LOOKS_AT_STREAM: &[Line] = &[line(
    "$JS.API.STREAM.INFO.{stream}",
    "reads the settings and the state of {stream}",
)];

/// Creates and changes a stream.
pub(super) const APPLIES: &[Line] = &[
    line("$JS.API.STREAM.CREATE.{stream}", "creates {stream}"),
    line("$JS.API.STREAM.UPDATE.{stream}", "changes {stream}"),
];

/// Reads the limits of the account.
pub(super) const ACCOUNT: &[Line] = &[line(
    "$JS.API.INFO",
    "reads what the account has stored and reserved",
)];

/// Reads who the user is and what it may do, as `doctor` does.
pub(super) const KNOWS_ITSELF: &[Line] =
    &[line("$SYS.REQ.USER.INFO", "reads what this user may do")];

/// Finds streams by subject.
pub(super) const FINDS_STREAMS: &[Line] =
    &[line("$JS.API.STREAM.NAMES", "finds streams by subject")];

#[cfg(test)]
mod tests;

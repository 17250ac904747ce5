//! `InboxStatements`: the statements of the inbox and the dead letters, with the names of the tables.
//!
//! They are the same on SQLite and PostgreSQL except for the fields of [`Dialect`].

use crate::Tables;
use crate::tables::Statement;

/// The names of the tables, quoted and with their schema.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxTables {
    pub(crate) inbox: String,
    pub(crate) sources: String,
    pub(crate) owners: String,
    pub(crate) letters: String,
}

impl InboxTables {
    pub(crate) fn of(tables: &Tables) -> Self {
        Self {
            inbox: tables.table("inbox"),
            sources: tables.table("inbox_source"),
            owners: tables.table("inbox_owner"),
            letters: tables.table("dead_letter"),
        }
    }
}

/// What differs between the databases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// The rows of a batch: columns `event_id`, `redrive`, `stream`, `sequence`, in the order of ids.
    pub(crate) batch: &'static str,
    /// A condition that `event_id` is one of the ids in `$2`.
    pub(crate) is_listed: &'static str,
    /// A condition that the row was written by this transaction.
    pub(crate) is_own: &'static str,
    /// A lock that others may share.
    pub(crate) for_share: &'static str,
    /// A lock that leaves out rows which others hold.
    pub(crate) skip_locked: &'static str,
}

/// The statements, in the form in which sqlx takes them without a copy.
#[derive(Debug, Clone)]
pub struct InboxStatements {
    pub(crate) record: Statement,
    pub(crate) record_all: Statement,
    pub(crate) record_dead: Statement,
    pub(crate) find: Statement,
    pub(crate) has_own_record: Statement,
    pub(crate) register_source: Statement,
    pub(crate) floor: Statement,
    pub(crate) lock_epoch: Statement,
    pub(crate) take_over: Statement,
    pub(crate) forget_epochs: Statement,
    pub(crate) sources: Statement,
    pub(crate) claim_cleaning: Statement,
    pub(crate) raise_floor: Statement,
    pub(crate) clean: Statement,
    pub(crate) status: Statement,
    pub(crate) records: Statement,
    pub(crate) place_record: Statement,
    pub(crate) lower_floor: Statement,
    pub(crate) check: [Statement; 4],
    pub(crate) put_letter: Statement,
    pub(crate) letters: Statement,
    pub(crate) letter_summaries: Statement,
    pub(crate) set_letter_state: Statement,
    pub(crate) delete_letter: Statement,
}

/// The columns of a letter, without id and body, in the order of `put_letter`.
const LETTER: &str = "consumer, identity, redrive, stream, sequence, subject, prefix, event_id, \
    event_type, event_key, sequenced, class, errors, reason, attempts, first_failure, last_failure, \
    headers, status, status_at, status_by, status_note, retry_sequence, body_length";

impl InboxStatements {
    #[expect(
        clippy::too_many_lines,
        reason = "a list of statements is read best in one place"
    )]
    pub(crate) fn new(tables: &InboxTables, dialect: Dialect) -> Self {
        let InboxTables {
            inbox,
            sources,
            owners,
            letters,
        } = tables;
        let Dialect {
            batch,
            is_listed,
            is_own,
            for_share,
            skip_locked,
        } = dialect;
        let statement = Statement::new;
        let columns = "consumer, event_id, redrive, outcome, stream, sequence, recorded_at, reason";
        // A dead event may be handled, or die again, in a later redrive; one that is done stays done.
        let replace = |outcome: &str| {
            format!(
                "ON CONFLICT (consumer, event_id) DO UPDATE SET redrive = excluded.redrive, \
                 outcome = '{outcome}', recorded_at = excluded.recorded_at, reason = excluded.reason \
                 WHERE old.outcome = 'dead' AND old.redrive < excluded.redrive \
                 RETURNING event_id"
            )
        };
        let (done, dead) = (replace("done"), replace("dead"));
        let letter = |body: &str| {
            format!(
                "SELECT id, {LETTER}, {body} AS body FROM {letters} \
                 WHERE ($1 IS NULL OR consumer = $1) AND ($2 IS NULL OR status = $2) \
                 AND id > $3 ORDER BY id LIMIT $4"
            )
        };
        Self {
            record: statement(format!(
                "INSERT INTO {inbox} AS old ({columns}) VALUES ($1, $2, $3, 'done', $4, $5, $6, NULL) {done}"
            )),
            record_all: statement(format!(
                "INSERT INTO {inbox} AS old ({columns}) SELECT $1, event_id, redrive, 'done', stream, \
                 sequence, $2, NULL FROM {batch} {done}"
            )),
            record_dead: statement(format!(
                "INSERT INTO {inbox} AS old ({columns}) VALUES ($1, $2, $3, 'dead', $4, $5, $6, $7) {dead}"
            )),
            find: statement(format!(
                "SELECT event_id, outcome, redrive, reason FROM {inbox} \
                 WHERE consumer = $1 AND {is_listed}"
            )),
            has_own_record: statement(format!(
                "SELECT 1 FROM {inbox} WHERE consumer = $1 AND event_id = $2 AND {is_own}"
            )),
            register_source: statement(format!(
                "INSERT INTO {sources} (consumer, stream, cleaned_to) VALUES ($1, $2, 0) \
                 ON CONFLICT (consumer, stream) DO NOTHING"
            )),
            floor: statement(format!(
                "SELECT cleaned_to FROM {sources} WHERE consumer = $1 AND stream = $2"
            )),
            lock_epoch: statement(format!(
                "SELECT epoch FROM {owners} WHERE consumer = $1 AND partition_number = $2 {for_share}"
            )),
            take_over: statement(format!(
                "INSERT INTO {owners} AS old (consumer, partition_number, epoch) VALUES ($1, $2, $3) \
                 ON CONFLICT (consumer, partition_number) DO UPDATE SET epoch = excluded.epoch \
                 WHERE old.epoch < excluded.epoch"
            )),
            forget_epochs: statement(format!("DELETE FROM {owners} WHERE consumer = $1")),
            sources: statement(format!(
                "SELECT consumer, stream, cleaned_to FROM {sources} ORDER BY consumer, stream"
            )),
            claim_cleaning: statement(format!(
                "UPDATE {sources} SET cleaner = $3, cleaner_until = $5 \
                 WHERE consumer = $1 AND stream = $2 \
                 AND (cleaner = $3 OR cleaner IS NULL OR cleaner_until < $4)"
            )),
            raise_floor: statement(format!(
                "UPDATE {sources} SET cleaned_to = CASE WHEN cleaned_to > found.top \
                 THEN cleaned_to ELSE found.top END \
                 FROM (SELECT COALESCE(MAX(sequence), 0) AS top FROM {inbox} WHERE consumer = $1 \
                 AND stream = $2 AND sequence <= $3 AND recorded_at < $4) AS found \
                 WHERE consumer = $1 AND stream = $2 RETURNING cleaned_to"
            )),
            clean: statement(format!(
                "DELETE FROM {inbox} WHERE consumer = $1 AND event_id IN (\
                 SELECT event_id FROM {inbox} AS old WHERE consumer = $1 AND stream = $2 \
                 AND recorded_at < $3 AND (sequence IS NULL OR sequence <= $5) \
                 AND (outcome = 'dead' OR redrive = 0) \
                 AND (outcome = 'done' OR NOT EXISTS (SELECT 1 FROM {letters} AS letter \
                 WHERE letter.consumer = old.consumer AND letter.event_id = old.event_id)) \
                 ORDER BY recorded_at LIMIT $4 {skip_locked})"
            )),
            status: statement(format!(
                "SELECT COUNT(CASE WHEN outcome = 'done' THEN 1 END), \
                 COUNT(CASE WHEN outcome = 'dead' THEN 1 END), MIN(recorded_at) \
                 FROM {inbox} WHERE consumer = $1"
            )),
            records: statement(format!(
                "SELECT event_id, stream, sequence, outcome, recorded_at FROM {inbox} \
                 WHERE consumer = $1 AND event_id > $2 ORDER BY event_id LIMIT $3"
            )),
            place_record: statement(format!(
                "UPDATE {inbox} SET sequence = $4 \
                 WHERE consumer = $1 AND stream = $2 AND event_id = $3"
            )),
            lower_floor: statement(format!(
                "UPDATE {sources} SET cleaned_to = $3 \
                 WHERE consumer = $1 AND stream = $2 AND cleaned_to > $3"
            )),
            check: [
                format!("SELECT {columns} FROM {inbox} WHERE 1 = 0"),
                format!(
                    "SELECT consumer, stream, cleaned_to, cleaner, cleaner_until FROM {sources} WHERE 1 = 0"
                ),
                format!("SELECT consumer, partition_number, epoch FROM {owners} WHERE 1 = 0"),
                format!("SELECT id, {LETTER}, body FROM {letters} WHERE 1 = 0"),
            ]
            .map(statement),
            put_letter: statement(format!(
                "INSERT INTO {letters} ({LETTER}, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
                 $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) \
                 ON CONFLICT (consumer, identity, redrive) DO NOTHING"
            )),
            letters: statement(letter("body")),
            letter_summaries: statement(letter("NULL")),
            set_letter_state: statement(format!(
                "UPDATE {letters} SET status = $3, status_at = $4, status_by = $5, status_note = $6, \
                 retry_sequence = $7 WHERE id = $1 AND status = $2"
            )),
            delete_letter: statement(format!("DELETE FROM {letters} WHERE id = $1")),
        }
    }
}

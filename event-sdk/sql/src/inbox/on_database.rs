//! `inbox_statements_on!`: the operations of the inbox and the dead letters that are the same on SQLite
//! and PostgreSQL.
//!
//! A macro, because generic code over databases needs a bound of sqlx for each type that it binds. The
//! file of each database has what differs.

/// The operations of `InboxSql` that are the same on every database, for its `impl`: the types of the
/// connection and of a row, and the function that makes a statement.
macro_rules! inbox_statements_on {
    ($connection:ty, $row:ty, $query:path) => {
        async fn record(
            conn: &mut $connection,
            sql: &InboxStatements,
            record: &NewRecord,
        ) -> Sql<bool> {
            let new = $query(sql.record.sql())
                .bind(&record.consumer)
                .bind(record.event)
                .bind(record.redrive)
                .bind(&record.stream)
                .bind(record.sequence)
                .bind(record.now)
                .fetch_optional(conn);
            Ok(new.await?.is_some())
        }

        async fn record_dead(
            conn: &mut $connection,
            sql: &InboxStatements,
            record: &NewRecord,
            reason: &str,
        ) -> Sql<bool> {
            let new = $query(sql.record_dead.sql())
                .bind(&record.consumer)
                .bind(record.event)
                .bind(record.redrive)
                .bind(&record.stream)
                .bind(record.sequence)
                .bind(record.now)
                .bind(reason)
                .fetch_optional(conn);
            Ok(new.await?.is_some())
        }

        async fn has_own_record(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            id: Uuid,
        ) -> Sql<bool> {
            let own = $query(sql.has_own_record.sql()).bind(consumer).bind(id);
            Ok(own.fetch_optional(conn).await?.is_some())
        }

        async fn register_source(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            stream: &str,
        ) -> Sql<()> {
            let register = $query(sql.register_source.sql())
                .bind(consumer)
                .bind(stream);
            register.execute(conn).await.map(drop)
        }

        async fn floor(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            stream: &str,
        ) -> Sql<Option<i64>> {
            let floor = $query(sql.floor.sql()).bind(consumer).bind(stream);
            let floor = floor.fetch_optional(conn).await?;
            floor.map(|row| row.try_get(0)).transpose()
        }

        async fn lock_epoch(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            partition: i32,
        ) -> Sql<Option<i64>> {
            let epoch = $query(sql.lock_epoch.sql()).bind(consumer).bind(partition);
            let epoch = epoch.fetch_optional(conn).await?;
            epoch.map(|row| row.try_get(0)).transpose()
        }

        async fn take_over(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            partition: i32,
            epoch: i64,
        ) -> Sql<()> {
            let take = $query(sql.take_over.sql())
                .bind(consumer)
                .bind(partition)
                .bind(epoch);
            take.execute(conn).await.map(drop)
        }

        async fn forget_epochs(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
        ) -> Sql<u64> {
            let forget = $query(sql.forget_epochs.sql()).bind(consumer);
            Ok(forget.execute(conn).await?.rows_affected())
        }

        async fn sources(
            conn: &mut $connection,
            sql: &InboxStatements,
        ) -> Sql<Vec<(String, String, i64)>> {
            let sources = $query(sql.sources.sql()).fetch_all(conn).await?;
            let source = |row: &$row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
            sources.iter().map(source).collect()
        }

        async fn claim_cleaning(
            conn: &mut $connection,
            sql: &InboxStatements,
            (consumer, stream): (&str, &str),
            cleaner: Uuid,
            now: i64,
            until: i64,
        ) -> Sql<bool> {
            let claim = $query(sql.claim_cleaning.sql())
                .bind(consumer)
                .bind(stream)
                .bind(cleaner)
                .bind(now)
                .bind(until);
            Ok(claim.execute(conn).await?.rows_affected() == 1)
        }

        async fn raise_floor(
            conn: &mut $connection,
            sql: &InboxStatements,
            (consumer, stream): (&str, &str),
            acknowledged: i64,
            before: i64,
        ) -> Sql<i64> {
            let floor = $query(sql.raise_floor.sql())
                .bind(consumer)
                .bind(stream)
                .bind(acknowledged)
                .bind(before);
            let floor = floor.fetch_optional(conn).await?;
            floor.map_or(Ok(0), |row| row.try_get(0))
        }

        async fn clean(
            conn: &mut $connection,
            sql: &InboxStatements,
            (consumer, stream): (&str, &str),
            (before, floor): (i64, i64),
            limit: i64,
        ) -> Sql<u64> {
            let clean = $query(sql.clean.sql())
                .bind(consumer)
                .bind(stream)
                .bind(before)
                .bind(limit)
                .bind(floor);
            Ok(clean.execute(conn).await?.rows_affected())
        }

        async fn records(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
            after: Uuid,
            limit: i64,
        ) -> Sql<Vec<PlacedRecord>> {
            let records = $query(sql.records.sql())
                .bind(consumer)
                .bind(after)
                .bind(limit);
            let records = records.fetch_all(conn).await?;
            let record = |row: &$row| {
                let is_dead = row.try_get::<String, _>(3)? == "dead";
                let (event, stream) = (row.try_get(0)?, row.try_get(1)?);
                Ok((event, stream, row.try_get(2)?, is_dead, row.try_get(4)?))
            };
            records.iter().map(record).collect()
        }

        async fn place_record(
            conn: &mut $connection,
            sql: &InboxStatements,
            (consumer, stream): (&str, &str),
            event: Uuid,
            sequence: Option<i64>,
        ) -> Sql<bool> {
            let set = $query(sql.place_record.sql())
                .bind(consumer)
                .bind(stream)
                .bind(event)
                .bind(sequence);
            Ok(set.execute(conn).await?.rows_affected() == 1)
        }

        async fn lower_floor(
            conn: &mut $connection,
            sql: &InboxStatements,
            (consumer, stream): (&str, &str),
            floor: i64,
        ) -> Sql<bool> {
            let lower = $query(sql.lower_floor.sql())
                .bind(consumer)
                .bind(stream)
                .bind(floor);
            Ok(lower.execute(conn).await?.rows_affected() == 1)
        }

        async fn status(
            conn: &mut $connection,
            sql: &InboxStatements,
            consumer: &str,
        ) -> Sql<(i64, i64, Option<i64>)> {
            let row = $query(sql.status.sql())
                .bind(consumer)
                .fetch_one(conn)
                .await?;
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        }

        async fn check_tables(conn: &mut $connection, sql: &InboxStatements) -> Sql<()> {
            for check in &sql.check {
                $query(check.sql()).fetch_optional(&mut *conn).await?;
            }
            Ok(())
        }

        async fn put_letter(
            conn: &mut $connection,
            sql: &InboxStatements,
            letter: &LetterRow,
        ) -> Sql<bool> {
            let put = $query(sql.put_letter.sql())
                .bind(&letter.consumer)
                .bind(&letter.identity)
                .bind(letter.redrive)
                .bind(&letter.stream)
                .bind(letter.sequence)
                .bind(&letter.subject)
                .bind(&letter.prefix)
                .bind(letter.event_id)
                .bind(&letter.event_type)
                .bind(&letter.event_key)
                .bind(letter.sequenced)
                .bind(&letter.class)
                .bind(&letter.errors)
                .bind(&letter.reason)
                .bind(letter.attempts)
                .bind(letter.first_failure)
                .bind(letter.last_failure)
                .bind(&letter.headers)
                .bind(&letter.status)
                .bind(letter.status_at)
                .bind(&letter.status_by)
                .bind(&letter.status_note)
                .bind(letter.retry_sequence)
                .bind(letter.body_length)
                .bind(&letter.body);
            Ok(put.execute(conn).await?.rows_affected() == 1)
        }

        async fn letters(
            conn: &mut $connection,
            sql: &InboxStatements,
            which: &WhichLetters<'_>,
        ) -> Sql<Vec<LetterRow>> {
            let statement = if which.whole {
                &sql.letters
            } else {
                &sql.letter_summaries
            };
            let letters = $query(statement.sql())
                .bind(which.consumer)
                .bind(which.status)
                .bind(which.after)
                .bind(which.limit);
            letters
                .fetch_all(conn)
                .await?
                .iter()
                .map(letter_row)
                .collect()
        }

        async fn set_letter_state(
            conn: &mut $connection,
            sql: &InboxStatements,
            id: i64,
            from: &str,
            to: &LetterRow,
        ) -> Sql<bool> {
            let set = $query(sql.set_letter_state.sql())
                .bind(id)
                .bind(from)
                .bind(&to.status)
                .bind(to.status_at)
                .bind(&to.status_by)
                .bind(&to.status_note)
                .bind(to.retry_sequence);
            Ok(set.execute(conn).await?.rows_affected() == 1)
        }

        async fn delete_letter(
            conn: &mut $connection,
            sql: &InboxStatements,
            id: i64,
        ) -> Sql<bool> {
            let delete = $query(sql.delete_letter.sql()).bind(id);
            Ok(delete.execute(conn).await?.rows_affected() == 1)
        }
    };
}
pub(crate) use inbox_statements_on;

/// Reads the rows of the statements: `found_record` and `letter_row`, for rows of this type.
macro_rules! inbox_rows_of {
    ($row:ty) => {
        fn found_record(row: &$row) -> Sql<FoundRecord> {
            let outcome: String = row.try_get(1)?;
            Ok(FoundRecord {
                event: row.try_get(0)?,
                is_dead: outcome == "dead",
                redrive: row.try_get(2)?,
                reason: row.try_get(3)?,
            })
        }

        fn letter_row(row: &$row) -> Sql<LetterRow> {
            Ok(LetterRow {
                id: row.try_get("id")?,
                consumer: row.try_get("consumer")?,
                identity: row.try_get("identity")?,
                redrive: row.try_get("redrive")?,
                stream: row.try_get("stream")?,
                sequence: row.try_get("sequence")?,
                subject: row.try_get("subject")?,
                prefix: row.try_get("prefix")?,
                event_id: row.try_get("event_id")?,
                event_type: row.try_get("event_type")?,
                event_key: row.try_get("event_key")?,
                sequenced: row.try_get("sequenced")?,
                class: row.try_get("class")?,
                errors: row.try_get("errors")?,
                reason: row.try_get("reason")?,
                attempts: row.try_get("attempts")?,
                first_failure: row.try_get("first_failure")?,
                last_failure: row.try_get("last_failure")?,
                headers: row.try_get("headers")?,
                status: row.try_get("status")?,
                status_at: row.try_get("status_at")?,
                status_by: row.try_get("status_by")?,
                status_note: row.try_get("status_note")?,
                retry_sequence: row.try_get("retry_sequence")?,
                body_length: row.try_get("body_length")?,
                body: row.try_get("body")?,
            })
        }
    };
}
pub(crate) use inbox_rows_of;

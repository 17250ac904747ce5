//! Creates and checks the tables on PostgreSQL.

use event_sdk_store::{StoreError, StoreErrorKind};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Pool, Postgres, Row as _};

use super::begin::begin;
use super::migrations::{MIGRATIONS, TABLE};
use crate::error::store_error;
use crate::migrations::{
    Applied, Migration, SchemaDifference, SchemaVersion, compare, differences, missing, pending,
    shard_row, shards_table,
};
use crate::tables::Tables;

pub(super) async fn migrate(
    pool: &Pool<Postgres>,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    let mut tx = begin(pool).await.map_err(store_error)?;
    let version = migrate_in(&mut tx, tables).await?;
    tx.commit().await.map_err(store_error)?;
    Ok(version)
}

/// Migrates in a transaction of the caller.
async fn migrate_in(
    connection: &mut PgConnection,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    // Others that migrate these tables wait until the end of the transaction.
    let lock = format!("event_sdk {}", tables.table("migrations"));
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(lock)
        .persistent(false)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    execute(connection, tables, TABLE).await?;
    let found = applied(connection, tables).await?;
    for step in pending(MIGRATIONS, &found, tables)? {
        run(connection, tables, step).await?;
    }
    let applied = applied(connection, tables).await?;
    compare(MIGRATIONS, &applied, tables)
}

async fn run(
    connection: &mut PgConnection,
    tables: &Tables,
    step: &Migration,
) -> Result<(), StoreError> {
    for statement in step.statements {
        execute(connection, tables, statement).await?;
    }
    let insert = "insert into {migrations} (version, name, oldest_program) values ($1, $2, $3)";
    sqlx::query(AssertSqlSafe(tables.sql(insert)))
        .bind(step.version)
        .bind(step.name)
        .bind(step.oldest_program)
        .persistent(false)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn execute(
    connection: &mut PgConnection,
    tables: &Tables,
    template: &str,
) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(tables.sql(template)))
        .persistent(false)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

pub(super) async fn check(
    pool: &Pool<Postgres>,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    let mut tx = begin(pool).await.map_err(store_error)?;
    let applied = applied(&mut tx, tables).await;
    drop(tx.rollback().await);
    match applied {
        Ok(applied) => compare(MIGRATIONS, &applied, tables),
        Err(error) if error.kind() == StoreErrorKind::SchemaMissing => Err(missing(tables)),
        Err(error) => Err(error),
    }
}

async fn applied(
    connection: &mut PgConnection,
    tables: &Tables,
) -> Result<Vec<Applied>, StoreError> {
    let select = "select version, oldest_program from {migrations}";
    let rows = sqlx::query(AssertSqlSafe(tables.sql(select)))
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let read = |row: &PgRow| {
        Ok(Applied {
            version: row.try_get(0)?,
            oldest_program: row.try_get(1)?,
        })
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

/// Compares with the tables that the migrations make in a schema of their own, which is rolled back.
pub(super) async fn verify(
    pool: &Pool<Postgres>,
    tables: &Tables,
) -> Result<Vec<SchemaDifference>, StoreError> {
    check(pool, tables).await?;
    let mut tx = begin(pool).await.map_err(store_error)?;
    let schema: String = match tables.schema() {
        Some(schema) => schema.to_owned(),
        None => sqlx::query_scalar("select current_schema()::text")
            .persistent(false)
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?,
    };
    let scratch = "event_sdk_verify_scratch";
    let there = Tables::new()
        .with_prefix(tables.prefix())
        .and_then(|there| there.with_schema(scratch))
        .map_err(|why| StoreError::new(StoreErrorKind::InvalidOption, why.to_string()))?;
    let create = format!("create schema {scratch}");
    sqlx::query(AssertSqlSafe(create))
        .persistent(false)
        .execute(&mut *tx)
        .await
        .map_err(store_error)?;
    migrate_in(&mut tx, &there).await?;
    // Other tables may have names that begin alike.
    let names: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = $1")
            .bind(scratch)
            .persistent(false)
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
    let functions: Vec<String> = sqlx::query_scalar(
        "select proname::text from pg_proc where pronamespace = to_regnamespace($1)",
    )
    .bind(scratch)
    .persistent(false)
    .fetch_all(&mut *tx)
    .await
    .map_err(store_error)?;
    let prefix = tables.prefix();
    let mut expected = describe(&mut tx, &names, &functions, scratch).await?;
    let mut found = describe(&mut tx, &names, &functions, &schema).await?;
    // Of a column that was renamed or changed, the difference is enough.
    let shard = format!("column {}.shard", shards_table(prefix));
    let column = expected.iter().find(|(object, _)| *object == shard);
    if column.is_some_and(|column| found.contains(column)) {
        expected.extend(shard_rows(&mut tx, scratch, prefix).await?);
        found.extend(shard_rows(&mut tx, &schema, prefix).await?);
    }
    tx.rollback().await.map_err(store_error)?;
    Ok(differences(expected, found))
}

/// The columns, indexes, checks, triggers and rules of these tables, and these functions, without the
/// name of the schema. `information_schema` would leave out what the user has no privilege for.
async fn describe(
    connection: &mut PgConnection,
    names: &[String],
    functions: &[String],
    schema: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    const SELECT: &str = r"
        select 'column ' || t.relname || '.' || c.attname,
            concat_ws(' ', format_type(c.atttypid, c.atttypmod),
                case when c.attnotnull then 'not null' end,
                case c.attgenerated when '' then 'default ' else 'generated ' end
                    || pg_get_expr(d.adbin, d.adrelid),
                case c.attidentity when '' then null else 'identity' end)
        from pg_attribute c join pg_class t on t.oid = c.attrelid
            join pg_namespace n on n.oid = t.relnamespace
            left join pg_attrdef d on d.adrelid = c.attrelid and d.adnum = c.attnum
        where n.nspname = $1 and t.relname = any ($2) and c.attnum > 0 and not c.attisdropped
        union all
        select 'index ' || i.indexname, i.indexdef from pg_indexes i
        where i.schemaname = $1 and i.tablename = any ($2)
        union all
        select 'constraint ' || t.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
        from pg_constraint k join pg_class t on t.oid = k.conrelid
            join pg_namespace n on n.oid = t.relnamespace
        where n.nspname = $1 and t.relname = any ($2) and k.contype <> 'n'
        union all
        select 'trigger ' || t.relname || '.' || g.tgname,
            pg_get_triggerdef(g.oid) || case g.tgenabled when 'O' then '' else ' (not enabled)' end
        from pg_trigger g join pg_class t on t.oid = g.tgrelid
            join pg_namespace n on n.oid = t.relnamespace
        where n.nspname = $1 and t.relname = any ($2) and not g.tgisinternal
        union all
        select 'rule ' || r.tablename || '.' || r.rulename, r.definition from pg_rules r
        where r.schemaname = $1 and r.tablename = any ($2)
        union all
        select 'function ' || f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ')',
            pg_get_functiondef(f.oid)
        from pg_proc f join pg_namespace n on n.oid = f.pronamespace
        where n.nspname = $1 and f.proname = any ($3) and f.prokind = 'f'
        order by 1";
    let rows = sqlx::query(SELECT)
        .bind(schema)
        .bind(names)
        .bind(functions)
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let read = |row: &PgRow| {
        let text: String = row.try_get(1)?;
        let text = text.replace(&format!("\"{schema}\"."), "");
        let text = text.replace(&format!("{schema}."), "");
        let words: Vec<_> = text.split_whitespace().collect();
        let (object, text): (String, _) = (row.try_get(0)?, words.join(" "));
        if object.starts_with("column ") {
            return Ok((object, as_newer_versions(&text)));
        }
        Ok((object, text))
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

/// The rows of the shards, which the migration inserts: a row that is missing is a shard whose events no
/// relay publishes. The table has the column of the migration.
async fn shard_rows(
    connection: &mut PgConnection,
    schema: &str,
    prefix: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let name = shards_table(prefix);
    // `schema` may be the current one, whose name may contain anything.
    let (table, is_readable): (String, bool) = sqlx::query_as(
        "select relation::text, has_column_privilege(relation::oid, 'shard', 'select')
        from to_regclass(quote_ident($1) || '.' || quote_ident($2)) as relation",
    )
    .bind(schema)
    .bind(&name)
    .persistent(false)
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    if !is_readable {
        return Err(StoreError::new(
            StoreErrorKind::PermissionDenied,
            format!(
                "`verify` reads the rows of {table}, and the database user has no `select` on it: grant it, or call `verify` as the owner of the table"
            ),
        ));
    }
    let select = format!("select shard::bigint from {table} order by shard");
    let shards: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(select))
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(shards
        .into_iter()
        .map(|shard| shard_row(&name, shard))
        .collect())
}

/// The definition of a column, as newer versions of PostgreSQL have it. Versions 12 and 13 store
/// `extract(epoch from …)` as a call of `date_part`, and the default stays so after an upgrade.
fn as_newer_versions(definition: &str) -> String {
    definition.replace(
        "date_part('epoch'::text, clock_timestamp()) * (1000000)::double precision",
        "EXTRACT(epoch FROM clock_timestamp()) * (1000000)::numeric",
    )
}

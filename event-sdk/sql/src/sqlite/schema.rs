//! Creates and checks the tables on SQLite.

use event_sdk_store::{StoreError, StoreErrorKind};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Pool, Row as _, Sqlite, SqliteConnection};

use super::migrations::{MIGRATIONS, TABLE};
use crate::error::store_error;
use crate::migrations::{
    Applied, Migration, SchemaDifference, SchemaVersion, compare, differences, missing, pending,
    shard_row, shards_table,
};
use crate::tables::Tables;

pub(super) async fn migrate(
    pool: &Pool<Sqlite>,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    // Others that migrate wait here.
    let mut tx = super::begin(pool).await?;
    let version = migrate_in(&mut tx, tables).await?;
    tx.commit().await.map_err(store_error)?;
    Ok(version)
}

async fn migrate_in(
    connection: &mut SqliteConnection,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    execute(connection, tables, TABLE).await?;
    let found = applied(connection, tables).await?;
    for step in pending(MIGRATIONS, &found, tables)? {
        run(connection, tables, step).await?;
    }
    let applied = applied(connection, tables).await?;
    compare(MIGRATIONS, &applied, tables)
}

async fn run(
    connection: &mut SqliteConnection,
    tables: &Tables,
    step: &Migration,
) -> Result<(), StoreError> {
    for statement in step.statements {
        execute(connection, tables, statement).await?;
    }
    let insert = "insert into {migrations} (version, name, oldest_program) values (?, ?, ?)";
    sqlx::query(AssertSqlSafe(tables.sql(insert)))
        .bind(step.version)
        .bind(step.name)
        .bind(step.oldest_program)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn execute(
    connection: &mut SqliteConnection,
    tables: &Tables,
    template: &str,
) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(tables.sql(template)))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

pub(super) async fn check(
    pool: &Pool<Sqlite>,
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    match applied(&mut connection, tables).await {
        Ok(applied) => compare(MIGRATIONS, &applied, tables),
        Err(error) if error.kind() == StoreErrorKind::SchemaMissing => Err(missing(tables)),
        Err(error) => Err(error),
    }
}

async fn applied(
    connection: &mut SqliteConnection,
    tables: &Tables,
) -> Result<Vec<Applied>, StoreError> {
    let select = "select version, oldest_program from {migrations}";
    let rows = sqlx::query(AssertSqlSafe(tables.sql(select)))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
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

/// Compares with the tables that the migrations make in an empty database.
pub(super) async fn verify(
    pool: &Pool<Sqlite>,
    tables: &Tables,
) -> Result<Vec<SchemaDifference>, StoreError> {
    check(pool, tables).await?;
    // The same names in the main schema of another database.
    let here = Tables::new()
        .with_prefix(tables.prefix())
        .map_err(|why| StoreError::new(StoreErrorKind::InvalidOption, why.to_string()))?;
    let mut empty = sqlx::sqlite::SqliteConnectOptions::new()
        .in_memory(true)
        .connect()
        .await
        .map_err(store_error)?;
    migrate_in(&mut empty, &here).await?;
    // Other tables may have names that begin alike.
    let names: String =
        sqlx::query_scalar("select json_group_array(name) from sqlite_schema where type = 'table'")
            .fetch_one(&mut empty)
            .await
            .map_err(store_error)?;
    let prefix = tables.prefix();
    let mut expected = describe(&mut empty, &names, "main").await?;
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let schema = tables.schema().unwrap_or("main");
    let mut found = describe(&mut connection, &names, schema).await?;
    // Of a table or column that is missing, the difference is enough.
    if let Some(rows) = shard_rows(&mut connection, schema, prefix).await? {
        let all = shard_rows(&mut empty, "main", prefix).await?;
        expected.extend(all.unwrap_or_default());
        found.extend(rows);
    }
    Ok(differences(expected, found))
}

/// The objects of the tables and their definitions, without the name of the schema. The names of the
/// tables are a JSON array.
async fn describe(
    connection: &mut SqliteConnection,
    names: &str,
    schema: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let select = format!(
        "select type || ' ' || name, sql from \"{schema}\".sqlite_schema
         where tbl_name in (select value from json_each(?1)) and sql is not null order by 1"
    );
    let rows = sqlx::query(AssertSqlSafe(select))
        .bind(names)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let sql: String = row.try_get(1)?;
        let sql = sql.replace(&format!("\"{schema}\"."), "");
        let words: Vec<_> = sql.split_whitespace().collect();
        Ok((row.try_get(0)?, words.join(" ")))
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

/// The rows of the shards, which the migration inserts; `None` if there is no such table or column.
async fn shard_rows(
    connection: &mut SqliteConnection,
    schema: &str,
    prefix: &str,
) -> Result<Option<Vec<(String, String)>>, StoreError> {
    let name = shards_table(prefix);
    // A column of another type may have values that are no numbers.
    let select = format!("select quote(shard) from \"{schema}\".\"{name}\" order by shard");
    let shards: Result<Vec<String>, _> = sqlx::query_scalar(AssertSqlSafe(select))
        .fetch_all(connection)
        .await
        .map_err(store_error);
    match shards {
        Ok(shards) => {
            let rows = shards.into_iter().map(|shard| shard_row(&name, shard));
            Ok(Some(rows.collect()))
        }
        Err(error) if error.kind() == StoreErrorKind::SchemaMissing => Ok(None),
        Err(error) => Err(error),
    }
}

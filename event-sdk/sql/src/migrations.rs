//! Migrations of the tables: the list of migrations, the version of the tables, and differences
//! from what the migrations create.
//!
//! **Rolling deploys.** Tables are migrated before the first program of a new version starts, so
//! programs of two versions work on the same tables. Each migration says which program can still work
//! with its tables ([`Migration::oldest_program`]). A column that programs of the previous version do
//! not write needs a default; a column that they use is removed two versions later.

use std::fmt;

use event_sdk_store::{StoreError, StoreErrorKind};

use crate::tables::Tables;

/// One step from a version of the tables to the next.
#[derive(Debug)]
pub(crate) struct Migration {
    /// The version that it makes; from 1, without gaps.
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    /// The oldest version of a program that works with the tables of this version.
    pub(crate) oldest_program: i64,
    /// Statements, with names of tables as [`Tables::sql`] has them. They run in one transaction.
    pub(crate) statements: &'static [&'static str],
}

/// The version of the tables that this program writes.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// A version as the table of migrations has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) oldest_program: i64,
}

/// The version of the tables, and the version that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// The version of the tables.
    pub tables: i64,
    /// The version that this program knows.
    pub program: i64,
}

/// Whether a program that knows `migrations` can work with tables of these versions.
pub(crate) fn compare(
    migrations: &[Migration],
    applied: &[Applied],
    tables: &Tables,
) -> Result<SchemaVersion, StoreError> {
    let program = newest(migrations);
    let found = applied.iter().map(|row| row.version).max().unwrap_or(0);
    let needed = applied.iter().map(|row| row.oldest_program).max();
    if found == 0 {
        return Err(missing(tables));
    }
    if needed.is_some_and(|needed| needed > program) {
        return Err(StoreError::new(
            StoreErrorKind::SchemaNewer,
            format!(
                "the tables `{}*` have version {found}, and this program knows {program}: start a newer program",
                tables.prefix()
            ),
        ));
    }
    if found < program {
        return Err(StoreError::new(
            StoreErrorKind::SchemaOlder,
            format!(
                "the tables `{}*` have version {found}, and this program needs {program}: run `migrate` in a deployment step",
                tables.prefix()
            ),
        ));
    }
    Ok(SchemaVersion {
        tables: found,
        program,
    })
}

/// The error of tables that do not exist.
pub(crate) fn missing(tables: &Tables) -> StoreError {
    StoreError::new(
        StoreErrorKind::SchemaMissing,
        format!(
            "there are no tables `{}*`{}: run `migrate` in a deployment step, or correct the names in `Tables`",
            tables.prefix(),
            match tables.schema() {
                Some(schema) => format!(" in the schema `{schema}`"),
                None => String::new(),
            }
        ),
    )
}

/// The migrations that have to run. An error if the tables are of a version that this program cannot
/// work with.
pub(crate) fn pending<'m>(
    migrations: &'m [Migration],
    applied: &[Applied],
    tables: &Tables,
) -> Result<&'m [Migration], StoreError> {
    let found = applied.iter().map(|row| row.version).max().unwrap_or(0);
    if let Err(error) = compare(migrations, applied, tables)
        && error.kind() == StoreErrorKind::SchemaNewer
    {
        return Err(error);
    }
    let from = migrations.iter().position(|step| step.version > found);
    Ok(from.map_or(&[], |from| migrations.get(from..).unwrap_or(&[])))
}

/// A difference between the tables and what the migrations create.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaDifference {
    /// The table, column, index, constraint, trigger, function or row of a shard.
    pub object: String,
    /// The definition of the object in the migrations; `None` if they create no such object.
    pub expected: Option<String>,
    /// The definition of the object in the database; `None` if it is missing there.
    pub found: Option<String>,
}

impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            expected,
            found,
        } = self;
        match (expected, found) {
            (Some(expected), None) => write!(f, "{object} is missing: {expected}"),
            (None, Some(found)) => write!(f, "{object} is not ours: {found}"),
            (Some(expected), Some(found)) => {
                write!(f, "{object} is {found}, and should be {expected}")
            }
            (None, None) => write!(f, "{object}"),
        }
    }
}

/// The row of a shard as an object that is compared.
pub(crate) fn shard_row(table: &str, shard: impl fmt::Display) -> (String, String) {
    (format!("row {table}.{shard}"), format!("shard = {shard}"))
}

/// The table of the shards. Migrations insert its rows.
pub(crate) fn shards_table(prefix: &str) -> String {
    format!("{prefix}outbox_shards")
}

/// The differences between two descriptions of tables, each sorted by object.
pub(crate) fn differences(
    expected: Vec<(String, String)>,
    found: Vec<(String, String)>,
) -> Vec<SchemaDifference> {
    let mut found: std::collections::BTreeMap<_, _> = found.into_iter().collect();
    let mut differences = Vec::new();
    for (object, expected) in expected {
        let found = found.remove(&object);
        if found.as_ref() != Some(&expected) {
            differences.push(SchemaDifference {
                object,
                expected: Some(expected),
                found,
            });
        }
    }
    differences.extend(found.into_iter().map(|(object, found)| SchemaDifference {
        object,
        expected: None,
        found: Some(found),
    }));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Migration; 2] = [
        Migration {
            version: 1,
            name: "first",
            oldest_program: 1,
            statements: &[],
        },
        Migration {
            version: 2,
            name: "second",
            oldest_program: 1,
            statements: &[],
        },
    ];

    fn applied(versions: &[(i64, i64)]) -> Vec<Applied> {
        let rows = versions.iter();
        rows.map(|(version, oldest_program)| Applied {
            version: *version,
            oldest_program: *oldest_program,
        })
        .collect()
    }

    fn kind(versions: &[(i64, i64)]) -> Option<StoreErrorKind> {
        let compared = compare(&STEPS, &applied(versions), &Tables::new());
        compared.err().map(|error| error.kind())
    }

    #[test]
    fn a_program_works_with_its_tables_and_with_newer_ones_that_say_so() {
        assert_eq!(kind(&[(1, 1), (2, 1)]), None);
        assert_eq!(kind(&[(1, 1), (2, 1), (3, 2)]), None);
        assert_eq!(
            kind(&[(1, 1), (2, 1), (3, 3)]),
            Some(StoreErrorKind::SchemaNewer)
        );
        assert_eq!(kind(&[(1, 1)]), Some(StoreErrorKind::SchemaOlder));
        assert_eq!(kind(&[]), Some(StoreErrorKind::SchemaMissing));
    }

    #[test]
    fn only_missing_steps_run() -> Result<(), StoreError> {
        let versions = |found: &[(i64, i64)]| -> Result<Vec<i64>, StoreError> {
            let steps = pending(&STEPS, &applied(found), &Tables::new())?;
            Ok(steps.iter().map(|step| step.version).collect())
        };
        assert_eq!(versions(&[])?, [1, 2]);
        assert_eq!(versions(&[(1, 1)])?, [2]);
        assert_eq!(versions(&[(1, 1), (2, 1)])?, [0_i64; 0]);
        assert_eq!(versions(&[(3, 2)])?, [0_i64; 0]);
        assert!(versions(&[(3, 3)]).is_err());
        Ok(())
    }
}

//! `Tables`: the schema and the names of the tables, and SQL that contains them.

use std::fmt;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

/// The schema and the prefix of the tables. A database can have several sets of tables, for several
/// outboxes.
///
/// ```
/// use event_sdk_sql::Tables;
///
/// let tables = Tables::new().with_schema("billing")?.with_prefix("events_")?;
/// assert_eq!(tables.table("outbox"), "\"billing\".\"events_outbox\"");
/// assert_eq!(Tables::new().table("outbox"), "\"event_outbox\"");
/// # Ok::<(), event_sdk_sql::InvalidTables>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tables {
    schema: Option<Arc<str>>,
    prefix: Arc<str>,
}

impl Tables {
    /// The prefix of the tables unless another one is set: `event_`.
    pub const DEFAULT_PREFIX: &'static str = "event_";

    /// The longest prefix, in bytes: 30. PostgreSQL cuts names to 63 bytes.
    pub const MAX_PREFIX: usize = 30;

    /// Tables with the default prefix, in the schema that the connection uses.
    #[must_use]
    pub fn new() -> Self {
        Self {
            schema: None,
            prefix: Self::DEFAULT_PREFIX.into(),
        }
    }

    /// Sets the schema of PostgreSQL, or the attached database of SQLite. It must exist.
    ///
    /// # Errors
    ///
    /// [`InvalidTables`] if the name has other characters than lower-case letters, digits and
    /// underscores, begins with a digit, or has more than 63 bytes.
    pub fn with_schema(mut self, schema: &str) -> Result<Self, InvalidTables> {
        check(schema, 63)?;
        self.schema = Some(schema.into());
        Ok(self)
    }

    /// Sets the prefix.
    ///
    /// # Errors
    ///
    /// As for [`with_schema`](Self::with_schema), but the prefix may have at most
    /// [`MAX_PREFIX`](Self::MAX_PREFIX) bytes.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self, InvalidTables> {
        check(prefix, Self::MAX_PREFIX)?;
        self.prefix = prefix.into();
        Ok(self)
    }

    /// The schema, if it was set.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The prefix.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the quoted name of a table, with its schema, for use in SQL.
    #[must_use]
    pub fn table(&self, name: &str) -> String {
        self.sql(&format!("{{{name}}}"))
    }

    /// SQL with the names in place of `{name}` (with the schema) and `{=name}` (without it, as the
    /// name of an index is written).
    pub(crate) fn sql(&self, template: &str) -> String {
        let mut sql = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            let (bare, name) = match name.strip_prefix('=') {
                Some(name) => (true, name),
                None => (false, name),
            };
            if !bare && let Some(schema) = &self.schema {
                sql.push('"');
                sql.push_str(schema);
                sql.push_str("\".");
            }
            sql.push('"');
            sql.push_str(&self.prefix);
            sql.push_str(name);
            sql.push('"');
            rest = after;
        }
        sql.push_str(rest);
        sql
    }

    /// A statement that is used often.
    pub(crate) fn statement(&self, template: &str) -> Statement {
        Statement(self.sql(template).into())
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self::new()
    }
}

/// A statement with checked names; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Statement(Arc<str>);

impl Statement {
    /// A statement whose names were checked.
    pub(crate) fn new(sql: String) -> Self {
        Self(sql.into())
    }

    /// The statement for sqlx: it contains checked names, and no values.
    pub(crate) fn sql(&self) -> AssertSqlSafe<Arc<str>> {
        AssertSqlSafe(Arc::clone(&self.0))
    }
}

/// The error that the name of a schema, or a prefix, is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTables {
    name: String,
    longest: usize,
}

impl fmt::Display for InvalidTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the name {:?} is not usable for tables: it has 1 to {} lower-case ASCII letters, digits and underscores, and begins with no digit",
            self.name.chars().take(80).collect::<String>(),
            self.longest
        )
    }
}

impl std::error::Error for InvalidTables {}

fn check(name: &str, longest: usize) -> Result<(), InvalidTables> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let begins = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if begins && name.len() <= longest && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(InvalidTables {
        name: name.to_owned(),
        longest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_contain_sql() {
        for name in [
            "",
            "1a",
            "A",
            "a b",
            "a\"b",
            "a;b",
            "a.b",
            "ä",
            &"a".repeat(31),
        ] {
            let refused = Tables::new().with_prefix(name);
            assert!(refused.is_err(), "{name:?}");
        }
        assert!(Tables::new().with_schema(&"a".repeat(63)).is_ok());
        assert!(Tables::new().with_schema("public\"").is_err());
    }

    #[test]
    fn names_are_put_in_place() -> Result<(), InvalidTables> {
        let tables = Tables::new().with_schema("s")?.with_prefix("p_")?;
        assert_eq!(
            tables.sql("create index {=i} on {t} (a)"),
            "create index \"p_i\" on \"s\".\"p_t\" (a)"
        );
        Ok(())
    }
}

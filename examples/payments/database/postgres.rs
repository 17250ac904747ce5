//! PostgreSQL: a schema for each service, new in each run.
//!
//! The address is in the environment variable [`ADDRESS`], or in the file that [`ADDRESS_FILE`] names. It
//! may have a password: it is not printed, and no task and no argument has it.

use std::ffi::OsString;
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Pool, Postgres, Transaction};

use super::{Databases, Db, statements_on};
use crate::services::Service;

/// The variable with the address of the database: `postgres://<user>:<password>@<host>:<port>/<database>`.
pub(crate) const ADDRESS: &str = "PAYMENTS_DATABASE_URL";

/// The variable with the path of a file that has the address.
pub(crate) const ADDRESS_FILE: &str = "PAYMENTS_DATABASE_URL_FILE";

/// The schemas of a run.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Schemas {
    /// Makes the names of the schemas new.
    run: String,
    /// Without one, the address of the environment.
    #[serde(skip)]
    server: Option<Box<PgConnectOptions>>,
}

impl Schemas {
    /// New schemas in the database of the environment; `None` if it names none.
    pub(crate) fn configured() -> anyhow::Result<Option<Self>> {
        let server = address(variable)?;
        Ok(server.map(|server| Self::new(Some(server))))
    }

    /// New schemas in the database with this address.
    pub(crate) fn at(address: &str) -> anyhow::Result<Self> {
        Ok(Self::new(Some(parse(address)?)))
    }

    fn new(server: Option<PgConnectOptions>) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let server = server.map(Box::new);
        Self { run, server }
    }

    /// Removes the schemas with all that they have.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        for service in Service::ALL {
            let name = service.name();
            let pool = self.pool(name).await?;
            let drop = format!("drop schema if exists {} cascade", self.schema(name));
            let dropped = pool.execute(AssertSqlSafe(drop)).await;
            dropped.with_context(|| format!("the schema of {name}"))?;
        }
        Ok(())
    }

    fn schema(&self, service: &str) -> String {
        format!("payments_{}_{service}", self.run)
    }

    async fn pool(&self, service: &str) -> anyhow::Result<Pool<Postgres>> {
        let server = match &self.server {
            Some(server) => (**server).clone(),
            None => address(variable)?.with_context(|| format!("{ADDRESS} is not set"))?,
        };
        let pool = PgPoolOptions::new().max_connections(4);
        let pool = pool.connect_with(server.options([("search_path", self.schema(service))]));
        pool.await
            .with_context(|| format!("the database of {service}"))
    }
}

impl Databases for Schemas {
    type Db = Postgres;

    async fn open(
        &self,
        service: &'static str,
        tables: &[&'static str],
    ) -> anyhow::Result<Pool<Postgres>> {
        let pool = self.pool(service).await?;
        let schema = self.schema(service);
        let create = async {
            let mut tx = pool.begin().await?;
            // `create … if not exists` fails if another process creates the same at this time.
            let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))");
            lock.bind(&schema).execute(&mut *tx).await?;
            let create = format!("create schema if not exists {schema}");
            sqlx::raw_sql(AssertSqlSafe(create))
                .execute(&mut *tx)
                .await?;
            for sql in tables {
                sqlx::raw_sql(*sql).execute(&mut *tx).await?;
            }
            tx.commit().await
        };
        let created: sqlx::Result<()> = create.await;
        created.with_context(|| format!("the tables of {service}"))?;
        Ok(pool)
    }
}

impl Db for Postgres {
    async fn begin_writing(pool: &Pool<Self>) -> sqlx::Result<Transaction<'static, Self>> {
        pool.begin().await
    }
}

statements_on!(Postgres, PgConnection, PgRow);

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|it| !it.is_empty())
}

/// The address in these variables.
fn address(given: impl Fn(&str) -> Option<OsString>) -> anyhow::Result<Option<PgConnectOptions>> {
    let address = match (given(ADDRESS), given(ADDRESS_FILE)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => bail!("{ADDRESS} and {ADDRESS_FILE} are both set; unset one"),
        (Some(address), None) => address.into_string().ok(),
        (None, Some(file)) => {
            let read = std::fs::read_to_string(&file);
            Some(read.with_context(|| format!("the file that {ADDRESS_FILE} names"))?)
        }
    };
    parse(address.unwrap_or_default().trim()).map(Some)
}

/// The error does not show the address, which may have a password.
fn parse(address: &str) -> anyhow::Result<PgConnectOptions> {
    const FORM: &str = "postgres://<user>:<password>@<host>:<port>/<database>";
    let is_postgres = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    match PgConnectOptions::from_str(address) {
        Ok(options) if is_postgres => Ok(options),
        _ => bail!("the address of the database is not of the form {FORM}; see {ADDRESS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_without_being_shown() {
        for address in ["postgres://ada:secret@[", "mysql://ada:secret@host/db", ""] {
            let error = format!("{:?}", parse(address).unwrap_err());
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains(ADDRESS), "{error}");
        }
        let options = parse("postgres://ada:secret@db:5433/shop").unwrap();
        assert_eq!((options.get_host(), options.get_port()), ("db", 5433));
    }

    #[test]
    fn the_address_is_in_a_variable_or_in_the_file_that_another_names() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://ada:secret@db/shop\n").unwrap();
        let path = || Some(file.path().as_os_str().to_owned());
        let direct = || Some("postgres://ada@host/shop".into());
        let host = |variables: &dyn Fn(&str) -> Option<OsString>| {
            address(variables).map(|it| it.map(|options| options.get_host().to_owned()))
        };
        assert_eq!(host(&|_| None).unwrap(), None);
        let one = host(&|name| (name == ADDRESS).then(direct).flatten());
        assert_eq!(one.unwrap().as_deref(), Some("host"));
        let file = host(&|name| (name == ADDRESS_FILE).then(path).flatten());
        assert_eq!(file.unwrap().as_deref(), Some("db"));
        let both = host(&|_| path()).unwrap_err().to_string();
        assert!(both.contains("both set"), "{both}");
    }

    #[test]
    fn a_task_has_no_address() {
        let schemas = Schemas::at("postgres://ada:secret@db:5433/shop").unwrap();
        let task = serde_json::to_string(&schemas).unwrap();
        assert_eq!(task, format!(r#"{{"run":"{}"}}"#, schemas.run));
    }
}

//! `Database`: one test's database on a server.

use super::{Session, SessionError, USER};

/// A database of a server.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) name: String,
    pub(super) port: u16,
}

impl Database {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where clients connect: `postgres://postgres@127.0.0.1:<port>/<name>`, without a password.
    pub fn url(&self) -> String {
        url(self.port, &self.name)
    }

    /// Opens a session on it.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or refuses it.
    pub async fn session(&self) -> Result<Session, SessionError> {
        Session::open(self.port, &self.name).await
    }
}

pub(super) fn url(port: u16, database: &str) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/{database}")
}

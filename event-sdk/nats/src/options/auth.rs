//! `Auth`: where the login of a connection comes from. It is asked for at each connect and reconnect.

mod callback;
mod file;
mod login;

use std::fmt;
use std::path::PathBuf;

pub use self::callback::LoginError;
pub use self::login::NatsLogin;

pub(crate) use self::login::Login;

pub(super) use self::callback::LoginCallback;
pub(super) use self::file::{SecretFile, SecretKind};
pub(super) use self::login::Secret;

use super::refused;
use event_sdk_core::transport::Error;

/// Where the login of a connection comes from.
#[derive(Clone)]
pub(crate) enum Auth {
    /// It was given with the options.
    Given(Login),
    /// Its secret is in a file.
    File(SecretFile),
    /// The program returns it.
    Callback(LoginCallback),
}

impl Auth {
    /// The login whose secret is in this file.
    pub(super) fn file(kind: SecretKind, path: impl Into<PathBuf>) -> Self {
        Self::File(SecretFile::new(kind, path))
    }

    /// Validates the login; reads the file, or calls the callback.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let login = self.login().await.map_err(refused)?;
        login.check()?;
        self.sign(&login, b"nonce").map(drop).map_err(refused)
    }

    /// The response to a server's nonce. The error has the reason, without a secret.
    pub(crate) async fn answer(&self, nonce: &[u8]) -> Result<async_nats::Auth, String> {
        self.sign(&self.login().await?, nonce)
    }

    /// The reason and remedy if a server refuses this login, without a secret.
    pub(crate) async fn refused(&self) -> String {
        match (self, self.login().await) {
            (Self::File(file), Ok(login)) => login.refused(Some(&file.to_string())),
            (Self::Callback(_), Ok(login)) => {
                let reason = login.refused(None);
                format!("{reason}; it comes from `login_from`")
            }
            (Self::Given(_), Ok(login)) => login.refused(None),
            (_, Err(why)) => why,
        }
    }

    async fn login(&self) -> Result<Login, String> {
        match self {
            Self::Given(login) => Ok(login.clone()),
            Self::File(file) => file.read().await,
            Self::Callback(callback) => callback.login().await,
        }
    }

    fn sign(&self, login: &Login, nonce: &[u8]) -> Result<async_nats::Auth, String> {
        login.answer(nonce).map_err(|why| match self {
            Self::File(file) => format!("the {file}: {why}"),
            Self::Given(Login::Credentials(_)) => format!("the credentials: {why}"),
            Self::Given(_) => why,
            Self::Callback(_) => format!("the login of `login_from`: {why}"),
        })
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(login) => login.fmt(f),
            Self::File(file) => file.fmt(f),
            Self::Callback(_) => f.write_str("Callback"),
        }
    }
}

#[cfg(test)]
mod tests;

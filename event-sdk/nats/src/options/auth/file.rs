//! `SecretFile`: a password, token, NKey or credentials in a file, which is read at each connect and
//! reconnect, so that it can be rotated in place.

use std::fmt;
use std::path::PathBuf;

use super::super::masked::{FilePath, FreeText};
use super::login::{Login, Secret};

/// A secret in a file.
#[derive(Clone)]
pub(crate) struct SecretFile {
    kind: SecretKind,
    path: FilePath,
}

/// The secret that a file has.
#[derive(Clone)]
pub(crate) enum SecretKind {
    /// The password of this user.
    Password { user: String },
    /// A token.
    Token,
    /// The seed of an NKey.
    NKey,
    /// A user's JWT and seed.
    Credentials,
}

impl SecretFile {
    pub(super) fn new(kind: SecretKind, path: impl Into<PathBuf>) -> Self {
        let path = FilePath::new(path);
        Self { kind, path }
    }

    /// Reads the file without blocking other tasks. The error has the reason, without a secret.
    pub(super) async fn read(&self) -> Result<Login, String> {
        let cannot = |why: &dyn fmt::Display| format!("the {self} cannot be read: {why}");
        let path = self.path.clone();
        let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(path.as_path()))
            .await
            .map_err(|error| cannot(&error))?
            .map_err(|error| cannot(&error))?;
        let secret = || match one_line(&text) {
            Ok(line) => Ok(Secret::new(line)),
            Err(why) => Err(format!("the {self}: {why}")),
        };
        Ok(match &self.kind {
            SecretKind::Password { user } => Login::User {
                name: user.clone(),
                password: secret()?,
            },
            SecretKind::Token => Login::Token(secret()?),
            SecretKind::NKey => Login::NKey(secret()?),
            SecretKind::Credentials => Login::Credentials(Secret::new(text)),
        })
    }
}

/// The secret in a file that has nothing else. A line break at its end, which editors and `echo`
/// write, is no part of it.
fn one_line(text: &str) -> Result<&str, &'static str> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        Err("it is empty")
    } else if line.contains(['\n', '\r']) {
        Err("it has several lines; write the secret into it and nothing else")
    } else if line.contains(char::is_control) {
        Err("it has a control character; write the secret into it as text")
    } else {
        Ok(line)
    }
}

impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SecretKind::Password { .. } => "password file",
            SecretKind::Token => "token file",
            SecretKind::NKey => "NKey file",
            SecretKind::Credentials => "credentials file",
        };
        write!(f, "{what} {}", self.path)
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.kind {
            SecretKind::Password { user } => {
                return f
                    .debug_struct("PasswordFile")
                    .field("user", &FreeText::new(user))
                    .field("path", &self.path)
                    .finish();
            }
            SecretKind::Token => "TokenFile",
            SecretKind::NKey => "NKeyFile",
            SecretKind::Credentials => "CredentialsFile",
        };
        f.debug_tuple(name).field(&self.path).finish()
    }
}

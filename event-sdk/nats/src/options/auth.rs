//! Authentication: user and password, token, nkey, credentials file; signs the server's nonce.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nkeys::KeyPair;
use serde::Deserialize;

use super::masked::{FilePath, FreeText, looks_secret};
use super::refused;
use event_sdk_core::transport::Error;

/// The credentials of a connection.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    /// A user and a password.
    User { name: String, password: Secret },
    /// A token.
    Token(Secret),
    /// The seed of an NKey.
    NKey(Secret),
    /// A file with a user's JWT and seed.
    CredentialsFile(FilePath),
    /// The text of a credentials file.
    Credentials(Secret),
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Auth {
    /// Validates the credentials; reads a file.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        // The client logs the names of users.
        if let Self::User { name, password } = self {
            if password.0.is_empty() {
                return Err(refused(
                    "a user has no password; give one, or set a token with `token` or `nats://token@host`",
                ));
            }
            if looks_secret(name) {
                return Err(refused(
                    "the name of the user looks like a secret, and would be in logs; set it with `token`, `nkey` or `credentials`",
                ));
            }
        }
        self.answer(b"nonce").await.map(drop).map_err(refused)
    }

    /// The response to a server's nonce. The error has the reason, without a secret.
    pub(crate) async fn answer(&self, nonce: &[u8]) -> Result<async_nats::Auth, String> {
        let mut auth = async_nats::Auth::new();
        match self {
            Self::User { name, password } => {
                auth.username = Some(name.clone());
                auth.password = Some(password.0.clone());
            }
            Self::Token(token) => auth.token = Some(token.0.clone()),
            Self::NKey(seed) => {
                let key = key(&seed.0)?;
                auth.nkey = Some(key.public_key());
                auth.signature = Some(sign(&key, nonce)?);
            }
            Self::CredentialsFile(path) => {
                let credentials = read(path).await?;
                let in_file = |why| format!("the credentials file {path}: {why}");
                present(&credentials, nonce, &mut auth).map_err(in_file)?;
            }
            Self::Credentials(text) => present(&text.0, nonce, &mut auth)
                .map_err(|why| format!("the credentials: {why}"))?,
        }
        Ok(auth)
    }
}

impl Auth {
    /// The reason and remedy if a server refuses these credentials, without a secret.
    pub(crate) async fn refused(&self) -> String {
        match self {
            Self::User { name, password } => {
                let name = shown_name(name, password);
                format!("the server does not take user {name} with this password; look at both")
            }
            Self::Token(_) => "the server does not take this token".to_owned(),
            Self::NKey(seed) => match key(&seed.0) {
                Ok(key) => format!(
                    "the server does not know the NKey {}; add it to its users, or use the seed of another",
                    key.public_key()
                ),
                Err(why) => why,
            },
            Self::CredentialsFile(path) => {
                let what = format!("the credentials file {path}");
                refused_credentials(&what, &read(path).await.unwrap_or_default())
            }
            Self::Credentials(text) => refused_credentials("these credentials", &text.0),
        }
    }
}

fn refused_credentials(what: &str, credentials: &str) -> String {
    match expired(credentials) {
        Some(at) => format!(
            "the server does not take {what}, which expired at {at}; make it anew with `nsc generate creds`"
        ),
        None => format!(
            "the server does not take {what}; is it of one of the server's accounts, and not revoked?"
        ),
    }
}

/// When the credentials expired; `None` if they did not.
fn expired(credentials: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let jwt = section(credentials, "NATS USER JWT").ok()?;
    let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    let at = Timestamp::from_second(exp).ok()?;
    (at <= Timestamp::now()).then_some(at)
}

/// Reads a small file without blocking other tasks.
async fn read(path: &FilePath) -> Result<String, String> {
    let cannot =
        |why: &dyn fmt::Display| format!("the credentials file {path} cannot be read: {why}");
    let reading = path.clone();
    tokio::task::spawn_blocking(move || std::fs::read_to_string(reading.as_path()))
        .await
        .map_err(|error| cannot(&error))?
        .map_err(|error| cannot(&error))
}

/// The response with JWT and seed of a credentials file.
fn present(credentials: &str, nonce: &[u8], auth: &mut async_nats::Auth) -> Result<(), String> {
    let jwt = section(credentials, "NATS USER JWT")?;
    let seed = section(credentials, "USER NKEY SEED")?;
    auth.jwt = Some(jwt.to_owned());
    auth.signature = Some(sign(&key(seed)?, nonce)?);
    Ok(())
}

/// The line after `-----BEGIN <title>-----`.
fn section<'a>(credentials: &'a str, title: &str) -> Result<&'a str, String> {
    let mut lines = credentials.lines().map(str::trim);
    let begin = |line: &str| line.trim_matches('-').trim() == format!("BEGIN {title}");
    lines
        .by_ref()
        .find(|line| begin(line))
        .and_then(|_| lines.find(|line| !line.is_empty()))
        .filter(|line| !line.starts_with('-'))
        .ok_or_else(|| {
            format!("there is no `-----BEGIN {title}-----` with a line behind it; make it anew with `nsc generate creds`")
        })
}

fn key(seed: &str) -> Result<KeyPair, String> {
    // The reason could contain a part of the seed.
    KeyPair::from_seed(seed.trim()).map_err(|_| {
        "the seed of the NKey is not well formed; a user's begins with `SU` and has 58 characters"
            .to_owned()
    })
}

fn sign(key: &KeyPair, nonce: &[u8]) -> Result<Vec<u8>, String> {
    key.sign(nonce)
        .map_err(|_| "the NKey cannot sign; it needs its seed".to_owned())
}

/// A user's name for errors and logs. A name without a password may be a token.
fn shown_name<'a>(name: &'a str, password: &Secret) -> FreeText<'a> {
    if password.0.is_empty() {
        FreeText::UNSEEN
    } else {
        FreeText::new(name)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, password } => f
                .debug_struct("User")
                .field("name", &format_args!("{}", shown_name(name, password)))
                .finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token"),
            Self::NKey(_) => f.write_str("NKey"),
            Self::CredentialsFile(path) => f.debug_tuple("CredentialsFile").field(path).finish(),
            Self::Credentials(_) => f.write_str("Credentials"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(jwt: &str, seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[tokio::test]
    async fn credentials_sign_the_nonce() {
        let key = KeyPair::new_user();
        let auth = Auth::Credentials(Secret::new(file("the.jwt", &key.seed().unwrap())));
        let shown = auth.answer(b"a nonce").await.unwrap();
        assert_eq!(shown.jwt.as_deref(), Some("the.jwt"));
        key.verify(b"a nonce", &shown.signature.unwrap()).unwrap();
    }

    #[tokio::test]
    async fn an_nkey_signs_the_nonce() {
        let key = KeyPair::new_user();
        let auth = Auth::NKey(Secret::new(key.seed().unwrap()));
        let shown = auth.answer(b"a nonce").await.unwrap();
        assert_eq!(shown.nkey, Some(key.public_key()));
        key.verify(b"a nonce", &shown.signature.unwrap()).unwrap();
    }

    #[tokio::test]
    async fn what_is_incomplete_is_refused_without_secrets() {
        let seed = KeyPair::new_user().seed().unwrap();
        let cut = &seed[..40];
        for auth in [
            Auth::NKey(Secret::new(cut)),
            Auth::NKey(Secret::new("")),
            Auth::Credentials(Secret::new(file("hidden.jwt", cut))),
            Auth::Credentials(Secret::new(format!("hidden.jwt\n{seed}"))),
            Auth::CredentialsFile(FilePath::new("/does/not/exist.creds")),
            Auth::CredentialsFile(FilePath::new(file("hidden.jwt", &seed))),
            Auth::CredentialsFile(FilePath::new("hidden")),
        ] {
            let error = auth.check().await.unwrap_err();
            let shown = format!("{error} {error:?} {auth:?}");
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(!shown.contains(&seed[2..20]), "{shown}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = || Secret::new("hidden");
        for auth in [
            Auth::User {
                name: "hidden".to_owned(),
                password: Secret::new(""),
            },
            Auth::User {
                name: "me".to_owned(),
                password: secret(),
            },
            Auth::Token(secret()),
            Auth::NKey(secret()),
            Auth::Credentials(secret()),
        ] {
            let shown = format!("{auth:?} {:?}", secret());
            assert!(!shown.contains("hidden"), "{shown}");
        }
    }
}

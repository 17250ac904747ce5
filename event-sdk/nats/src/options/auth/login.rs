//! `Login`: user and password, token, NKey or credentials; signs the server's nonce.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nkeys::KeyPair;
use serde::Deserialize;

use super::super::masked::{FreeText, looks_secret};
use super::super::refused;
use event_sdk_core::transport::Error;

/// The login that the callback of [`login_from`](crate::NatsOptions::login_from) returns.
///
/// `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsLogin(pub(super) Login);

impl NatsLogin {
    /// A user and a password.
    #[must_use]
    pub fn user(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self(Login::User {
            name: name.into(),
            password: Secret::new(password),
        })
    }

    /// A token.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self(Login::Token(Secret::new(token)))
    }

    /// An NKey; `seed` begins with `SU`.
    #[must_use]
    pub fn nkey(seed: impl Into<String>) -> Self {
        Self(Login::NKey(Secret::new(seed)))
    }

    /// The text of a credentials file as `nsc` writes it.
    #[must_use]
    pub fn credentials(text: impl Into<String>) -> Self {
        Self(Login::Credentials(Secret::new(text)))
    }
}

/// The login of a connection.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// A user and a password.
    User { name: String, password: Secret },
    /// A token.
    Token(Secret),
    /// The seed of an NKey.
    NKey(Secret),
    /// The text of a credentials file: a user's JWT and seed.
    Credentials(Secret),
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Login {
    /// Refuses a user without a password, and one whose name may be a secret.
    pub(super) fn check(&self) -> Result<(), Error> {
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
        Ok(())
    }

    /// The response to a server's nonce. The error has the reason, without a secret.
    pub(super) fn answer(&self, nonce: &[u8]) -> Result<async_nats::Auth, String> {
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
            Self::Credentials(text) => present(&text.0, nonce, &mut auth)?,
        }
        Ok(auth)
    }

    /// The reason and remedy if a server refuses this login, without a secret. `file` names the
    /// file in which the secret is.
    pub(super) fn refused(&self, file: Option<&str>) -> String {
        match (self, file) {
            (Self::User { name, password }, None) => {
                let name = shown_name(name, password);
                format!("the server does not take user {name} with this password; look at both")
            }
            (Self::User { name, password }, Some(file)) => {
                let name = shown_name(name, password);
                format!(
                    "the server does not take user {name} with the password of the {file}; look at both"
                )
            }
            (Self::Token(_), None) => "the server does not take this token".to_owned(),
            (Self::Token(_), Some(file)) => {
                format!("the server does not take the token of the {file}")
            }
            (Self::NKey(seed), _) => match key(&seed.0) {
                Ok(key) => format!(
                    "the server does not know the NKey {}; add it to its users, or use the seed of another",
                    key.public_key()
                ),
                Err(why) => why,
            },
            (Self::Credentials(text), None) => refused_credentials("these credentials", &text.0),
            (Self::Credentials(text), Some(file)) => {
                refused_credentials(&format!("the {file}"), &text.0)
            }
        }
    }
}

fn refused_credentials(what: &str, credentials: &str) -> String {
    match expired(credentials) {
        Some(at) => format!(
            "the server does not take {what}, which expired at {at}; create it again with `nsc generate creds`"
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
            format!("there is no `-----BEGIN {title}-----` with a line behind it; create it again with `nsc generate creds`")
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

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, password } => f
                .debug_struct("User")
                .field("name", &format_args!("{}", shown_name(name, password)))
                .finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token"),
            Self::NKey(_) => f.write_str("NKey"),
            Self::Credentials(_) => f.write_str("Credentials"),
        }
    }
}

//! `Login`: how a user proves its identity, without a secret in the configuration.

use event_sdk::transport::Error;
use serde::Serialize;

use super::invalid;

/// How a user proves its identity to the server.
///
/// There is no variant for a password itself, since configurations are printed, committed and
/// mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Login {
    /// A password, or better its bcrypt hash, that the server reads from the variable of this name.
    /// The variable is in the server's environment when it starts, or in the password file
    /// ([`passwords_file`](super::PermissionsBuilder::passwords_file)). This is the default, with
    /// the name `<USER>_PASSWORD`.
    PasswordVariable(String),
    /// The bcrypt hash of the password, as `nats server passwd` prints it.
    Bcrypt(String),
    /// The public NKey of the user, which begins with `U`. Its seed stays with the service.
    NKey(String),
}

impl Login {
    /// `<USER>_PASSWORD` for a user without a login.
    pub(super) fn of(user: &str) -> Self {
        let name = user.to_ascii_uppercase().replace('-', "_");
        Self::PasswordVariable(format!("{name}_PASSWORD"))
    }

    /// # Errors
    ///
    /// If it is not what it says, since it could be a secret. The error does not show it.
    pub(super) fn check(&self, user: &str) -> Result<(), Error> {
        let is_word = |text: &str, other: &[u8]| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || other.contains(&byte))
        };
        let (is_right, what) = match self {
            Self::PasswordVariable(name) => (
                is_word(name, b"_") && name.starts_with(|first: char| first.is_ascii_uppercase()),
                "the name of the variable has to consist of capital letters, digits and `_`",
            ),
            Self::Bcrypt(hash) => (
                hash.starts_with("$2a$") && hash.len() == 60 && is_word(hash, b"$./"),
                "the bcrypt hash has to begin with `$2a$` and to have 60 characters, as `nats server passwd` prints it; never write the password itself",
            ),
            Self::NKey(key) => (
                key.starts_with('U') && key.len() == 56 && is_word(key, b""),
                "the public NKey of a user begins with `U` and has 56 characters; its seed, which begins with `SU`, is a secret and stays with the service",
            ),
        };
        let is_right = is_right
            && match self {
                Self::PasswordVariable(name) => !name.contains(|it: char| it.is_ascii_lowercase()),
                _ => true,
            };
        if is_right {
            return Ok(());
        }
        Err(invalid(format!("the login of the user `{user}`: {what}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Login;

    #[test]
    fn a_secret_is_refused_and_not_shown() {
        let seed = "SUAM5AHVQDRZ6P7JVZ3PQJ7MHZXKOJ5YJAXH5L7PZBOQVH6SFKDQX3OXM4";
        for login in [
            Login::PasswordVariable("hunter2".to_owned()),
            Login::PasswordVariable("HUNTER-2".to_owned()),
            Login::Bcrypt("hunter2".to_owned()),
            Login::NKey(seed.to_owned()),
        ] {
            let error = login.check("billing").unwrap_err().to_string();
            assert!(error.contains("`billing`"), "{error}");
            for secret in ["hunter2", "HUNTER-2", seed] {
                assert!(!error.contains(secret), "{error}");
            }
        }
        assert_eq!(
            Login::of("my-billing"),
            Login::PasswordVariable("MY_BILLING_PASSWORD".to_owned())
        );
        Login::of("my-billing").check("my-billing").unwrap();
    }
}

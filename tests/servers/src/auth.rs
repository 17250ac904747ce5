//! Server authentication: token, users with passwords or nkeys, or an operator.

mod operator;

pub use operator::{Credentials, Operator};

use serde_json::{Value, json};

use crate::{Error, Permissions};

/// A user of a server's own list.
#[derive(Clone, Debug)]
pub struct User {
    login: Value,
    permissions: Option<Permissions>,
}

impl User {
    /// One who shows a name and a password, and may do everything.
    pub fn password(name: &str, password: &str) -> Self {
        Self {
            login: json!({ "user": name, "password": password }),
            permissions: None,
        }
    }

    /// One who proves to have the key of [`NKey`], and may do everything.
    pub fn nkey(key: &NKey) -> Self {
        Self {
            login: json!({ "nkey": key.public() }),
            permissions: None,
        }
    }

    /// May do this and nothing else.
    pub fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = Some(permissions);
        self
    }

    fn config(&self) -> Value {
        let mut user = self.login.clone();
        if let Some(permissions) = &self.permissions {
            user["permissions"] = permissions.config();
        }
        user
    }
}

/// The key of a user, made for the test.
#[derive(Clone, Debug)]
pub struct NKey {
    public: String,
    seed: String,
}

impl NKey {
    /// A new key of a user.
    ///
    /// # Errors
    ///
    /// If it has no seed, which a new key has.
    pub fn new() -> Result<Self, Error> {
        let key = nkeys::KeyPair::new_user();
        Ok(Self {
            public: key.public_key(),
            seed: key.seed()?,
        })
    }

    /// What the server knows of it.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The secret that the client has.
    pub fn seed(&self) -> &str {
        &self.seed
    }
}

/// How clients prove who they are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Auth {
    /// Not at all.
    #[default]
    Open,
    Token(String),
    Users(Vec<User>),
    Operator(Operator),
}

impl Auth {
    /// Its lines in the configuration file, whose grammar includes JSON.
    pub(crate) fn config(&self) -> String {
        match self {
            Self::Open => String::new(),
            Self::Token(token) => format!("authorization: {}\n", json!({ "token": token })),
            Self::Users(users) => {
                let users: Vec<_> = users.iter().map(User::config).collect();
                format!("authorization: {}\n", json!({ "users": users }))
            }
            Self::Operator(operator) => operator.config(),
        }
    }
}

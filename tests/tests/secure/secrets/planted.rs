//! `Planted`: secrets of every kind.

use std::fs;

use event_sdk_test_servers::{Authority, Identity, NKey, Operator, planted};

/// Secrets of every kind. Those of one kind that differ are the right one and a wrong one.
pub(super) struct Planted {
    pub(super) password: String,
    pub(super) wrong_password: String,
    pub(super) token: String,
    pub(super) wrong_token: String,
    pub(super) nkey: NKey,
    pub(super) wrong_nkey: NKey,
    pub(super) operator: Operator,
    pub(super) credentials: String,
    pub(super) wrong_credentials: String,
    pub(super) authority: Authority,
    pub(super) identity: Identity,
    /// The identity's private key, in PEM.
    pub(super) pem: String,
}

impl Planted {
    pub(super) fn new() -> Self {
        let operator = Operator::new().unwrap();
        let other = Operator::new().unwrap();
        let authority = Authority::new().unwrap();
        let identity = authority.client("billing").unwrap();
        let pem = fs::read_to_string(identity.key()).unwrap();
        Self {
            password: "pW-4f81c0a2e97d-right".to_owned(),
            wrong_password: "pW-77ab09d3e5c1-wrong".to_owned(),
            token: "tk-5d0e9b7712aa+right".to_owned(),
            wrong_token: "tk-c1f3470b9e88+wrong".to_owned(),
            nkey: NKey::new().unwrap(),
            wrong_nkey: NKey::new().unwrap(),
            credentials: operator.credentials("billing").text().unwrap(),
            wrong_credentials: other.credentials("billing").text().unwrap(),
            operator,
            authority,
            identity,
            pem,
        }
    }

    /// JWT and seed of a credentials file.
    pub(super) fn jwt_and_seed(credentials: &str) -> [&str; 2] {
        let mut lines = credentials.lines();
        let mut next = || lines.find(|line| line.len() > 50 && !line.starts_with('-'));
        [next().unwrap(), next().unwrap()]
    }

    /// Texts with a secret that has a form of its own, by which it can be told in every place.
    pub(super) fn recognizable(&self) -> Vec<(&'static str, String)> {
        let [jwt, seed] = Self::jwt_and_seed(&self.credentials);
        let pem = &self.pem;
        vec![
            ("an NKey's seed", self.nkey.seed().to_owned()),
            ("a part of a seed", self.nkey.seed()[..40].to_owned()),
            ("a JWT", jwt.to_owned()),
            ("credentials", self.credentials.clone()),
            (
                "credentials in one line",
                self.credentials.replace('\n', ""),
            ),
            ("a seed behind a folder", format!("/run/{seed}")),
            ("PEM", pem.clone()),
            ("PEM in one line", pem.replace('\n', "")),
            ("PEM with escaped line breaks", pem.replace('\n', "\\n")),
            ("a URL", format!("nats://anna:{}@127.0.0.1", self.password)),
        ]
    }

    /// Texts with a secret that could also be something else.
    pub(super) fn plain(&self) -> Vec<(&'static str, String)> {
        vec![
            ("a password", self.wrong_password.clone()),
            ("a token", format!("{}/x", self.wrong_token)),
            ("a number", "481516234215".to_owned()),
        ]
    }

    pub(super) fn every(&self) -> Vec<(&'static str, String)> {
        [self.recognizable(), self.plain()].concat()
    }

    /// Asserts that no secret is in a text, in none of its forms.
    pub(super) fn assert_hidden(&self, what: &str, text: &str) {
        let [jwt, seed] = Self::jwt_and_seed(&self.credentials);
        let [wrong_jwt, wrong_seed] = Self::jwt_and_seed(&self.wrong_credentials);
        let lines = self.pem.lines().filter(|line| !line.starts_with('-'));
        let secrets = [
            &*self.password,
            &self.wrong_password,
            &self.token,
            &self.wrong_token,
            "481516234215",
            self.nkey.seed(),
            self.wrong_nkey.seed(),
            jwt,
            seed,
            wrong_jwt,
            wrong_seed,
        ];
        for secret in secrets.into_iter().chain(lines) {
            let found = planted::find(text, secret);
            assert_eq!(found, None, "{what} shows a secret");
        }
    }
}

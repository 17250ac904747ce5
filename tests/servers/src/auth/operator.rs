//! Operator mode: signs accounts and user credentials (JWT).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::{Error, Permissions};

/// An operator with one account that has JetStream; its users are not known to the server, which
/// believes the account's signature.
#[derive(Clone, Debug)]
pub struct Operator(Arc<Keys>);

#[derive(Debug)]
struct Keys {
    account: KeyPair,
    /// Signed once, so that every server of a cluster has the same.
    config: String,
}

impl Operator {
    /// One with new keys.
    ///
    /// # Errors
    ///
    /// If the claims cannot be signed.
    pub fn new() -> Result<Self, Error> {
        Self::limited(None)
    }

    /// One with new keys, whose account has these limits of JetStream by tier, as the claims of an
    /// account have them: `{"R1": {"disk_storage": 1000, …}}`.
    ///
    /// # Errors
    ///
    /// If the claims cannot be signed.
    pub fn tiered(tiers: &Value) -> Result<Self, Error> {
        Self::limited(Some(tiers))
    }

    fn limited(tiers: Option<&Value>) -> Result<Self, Error> {
        let mut claims = account_claims(tiers.is_none());
        if let Some(tiers) = tiers {
            claims["limits"]["tiered_limits"] = tiers.clone();
        }
        let [operator, system, account] = [
            KeyPair::new_operator(),
            KeyPair::new_account(),
            KeyPair::new_account(),
        ];
        let system_id = system.public_key();
        let own = json!({ "type": "operator", "version": 2, "system_account": system_id });
        let own = sign(&operator, &operator, "tests", &own, None)?;
        let accounts = json!({
            system_id.as_str(): sign(&operator, &system, "SYS", &account_claims(false), None)?,
            account.public_key(): sign(&operator, &account, "tests", &claims, None)?,
        });
        let config = format!(
            "operator: \"{own}\"\nsystem_account: \"{system_id}\"\n\
             resolver: MEMORY\nresolver_preload: {accounts}\n"
        );
        Ok(Self(Arc::new(Keys { account, config })))
    }

    /// Credentials for a new user of the account, who may do everything, for ever.
    pub fn credentials(&self, name: &str) -> Credentials<'_> {
        Credentials {
            account: &self.0.account,
            name: name.to_owned(),
            permissions: None,
            expires_in: None,
        }
    }

    pub(super) fn config(&self) -> String {
        self.0.config.clone()
    }
}

/// What a user is to be, before the account signs it.
#[derive(Debug)]
pub struct Credentials<'a> {
    account: &'a KeyPair,
    name: String,
    permissions: Option<Permissions>,
    expires_in: Option<Duration>,
}

impl Credentials<'_> {
    /// May do this and nothing else.
    pub fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = Some(permissions);
        self
    }

    /// Expires after this time, which is rounded up to a whole second of the clock: the server
    /// then closes the connection.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// The text of the credentials file: the user's claims and its secret key.
    ///
    /// # Errors
    ///
    /// If the claims cannot be signed.
    pub fn text(&self) -> Result<String, Error> {
        let user = KeyPair::new_user();
        let mut claims =
            json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        if let Some(permissions) = &self.permissions {
            let (publish, subscribe) = permissions.claims();
            claims["pub"] = publish;
            claims["sub"] = subscribe;
        }
        let expires = self.expires_in.map(|time| SystemTime::now() + time);
        let jwt = sign(self.account, &user, &self.name, &claims, expires)?;
        let seed = user.seed()?;
        Ok(format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        ))
    }
}

/// An account without limits; the system's own must not have JetStream.
fn account_claims(jetstream: bool) -> Value {
    let unlimited = [
        "subs", "data", "payload", "imports", "exports", "conn", "leaf",
    ];
    let of_jetstream = ["mem_storage", "disk_storage", "streams", "consumer"];
    let mut limits = json!({ "wildcards": true });
    for limit in unlimited {
        limits[limit] = json!(-1);
    }
    for limit in of_jetstream.iter().filter(|_| jetstream) {
        limits[limit] = json!(-1);
    }
    json!({ "type": "account", "version": 2, "limits": limits })
}

/// A JWT of NATS: signed by the key of who answers for the subject.
fn sign(
    issuer: &KeyPair,
    subject: &KeyPair,
    name: &str,
    nats: &Value,
    expires: Option<SystemTime>,
) -> Result<String, Error> {
    let subject = subject.public_key();
    let mut claims = json!({
        // Only has to be there and to be unique.
        "jti": subject,
        "iat": seconds(SystemTime::now()),
        "iss": issuer.public_key(),
        "sub": subject,
        "name": name,
        "nats": nats,
    });
    if let Some(time) = expires {
        claims["exp"] = json!(seconds(time) + 1);
    }
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let signed = format!("{}.{}", encode(&head), encode(&claims));
    let signature = issuer.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs()
}

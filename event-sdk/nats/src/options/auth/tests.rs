//! Tests of logins, their sources, and what they show.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use nkeys::KeyPair;

use super::*;

fn given(login: Login) -> Auth {
    Auth::Given(login)
}

fn returning(login: impl Fn() -> Result<NatsLogin, LoginError> + Send + Sync + 'static) -> Auth {
    Auth::Callback(LoginCallback::new(move || std::future::ready(login())))
}

fn password_of(user: &str) -> SecretKind {
    SecretKind::Password {
        user: user.to_owned(),
    }
}

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
    let auth = given(Login::Credentials(Secret::new(file(
        "the.jwt",
        &key.seed().unwrap(),
    ))));
    let shown = auth.answer(b"a nonce").await.unwrap();
    assert_eq!(shown.jwt.as_deref(), Some("the.jwt"));
    key.verify(b"a nonce", &shown.signature.unwrap()).unwrap();
}

#[tokio::test]
async fn an_nkey_signs_the_nonce() {
    let key = KeyPair::new_user();
    let auth = given(Login::NKey(Secret::new(key.seed().unwrap())));
    let shown = auth.answer(b"a nonce").await.unwrap();
    assert_eq!(shown.nkey, Some(key.public_key()));
    key.verify(b"a nonce", &shown.signature.unwrap()).unwrap();
}

#[tokio::test]
async fn what_is_incomplete_is_refused_without_secrets() {
    let seed = KeyPair::new_user().seed().unwrap();
    let cut = &seed[..40];
    for auth in [
        given(Login::NKey(Secret::new(cut))),
        given(Login::NKey(Secret::new(""))),
        given(Login::Credentials(Secret::new(file("hidden.jwt", cut)))),
        given(Login::Credentials(Secret::new(format!(
            "hidden.jwt\n{seed}"
        )))),
        Auth::file(SecretKind::Credentials, "/does/not/exist.creds"),
        Auth::file(SecretKind::Credentials, file("hidden.jwt", &seed)),
        Auth::file(SecretKind::Credentials, "hidden"),
        Auth::file(SecretKind::Token, "hidden"),
        Auth::file(SecretKind::NKey, file("hidden.jwt", &seed)),
        returning(|| Ok(NatsLogin::nkey("hidden"))),
        returning(|| Err("the vault at nats://me:hidden@vault is sealed".into())),
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
        given(Login::User {
            name: "hidden".to_owned(),
            password: Secret::new(""),
        }),
        given(Login::User {
            name: "me".to_owned(),
            password: secret(),
        }),
        Auth::file(password_of("me"), "hidden"),
        returning(|| Ok(NatsLogin::token("hidden"))),
        given(Login::Token(secret())),
        given(Login::NKey(secret())),
        given(Login::Credentials(secret())),
    ] {
        let shown = format!("{auth:?} {:?}", secret());
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

/// The answer to a server that asks for a login, with the secret from this file.
async fn shown(kind: SecretKind, path: &Path) -> Result<async_nats::Auth, String> {
    Auth::file(kind, path).answer(b"a nonce").await
}

#[tokio::test]
async fn a_file_is_read_each_time_without_the_line_break_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let auth = Auth::file(password_of("anna"), &path);
    for (text, password) in [
        ("first", "first"),
        ("second\n", "second"),
        ("third\r\n", "third"),
        (" with spaces ", " with spaces "),
    ] {
        fs::write(&path, text).unwrap();
        let shown = auth.answer(b"a nonce").await.unwrap();
        assert_eq!(shown.username.as_deref(), Some("anna"));
        assert_eq!(shown.password.as_deref(), Some(password));
    }
    fs::write(&path, "a token\n").unwrap();
    let token = shown(SecretKind::Token, &path).await.unwrap().token;
    assert_eq!(token.as_deref(), Some("a token"));
    let key = KeyPair::new_user();
    fs::write(&path, key.seed().unwrap() + "\n").unwrap();
    let nkey = shown(SecretKind::NKey, &path).await.unwrap();
    assert_eq!(nkey.nkey, Some(key.public_key()));
}

#[tokio::test]
async fn a_file_without_one_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (text, why) in [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ("hidden\nhidden\n", "it has several lines"),
        ("hid\0den", "it has a control character"),
    ] {
        fs::write(&path, text).unwrap();
        for kind in [password_of("anna"), SecretKind::Token, SecretKind::NKey] {
            let error = shown(kind, &path).await.err().unwrap();
            assert!(error.contains(why), "{text:?}: {error}");
            assert!(!error.contains("hid"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_callback_is_called_for_each_connection() {
    let calls = AtomicU32::new(0);
    let auth = returning(move || {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        Ok(NatsLogin::user("anna", format!("password {call}")))
    });
    for call in 0..3 {
        let shown = auth.answer(b"a nonce").await.unwrap();
        assert_eq!(shown.password, Some(format!("password {call}")));
    }
    let sealed = returning(|| Err("the vault is sealed".into()));
    let error = sealed.answer(b"a nonce").await.err().unwrap();
    assert_eq!(
        error,
        "`login_from` returned no login: \"the vault is sealed\""
    );
}

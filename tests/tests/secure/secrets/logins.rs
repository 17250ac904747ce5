//! Rows of the table for logins whose secrets are in files, or come from a callback.

use std::path::Path;

use event_sdk::transport::nats::{LoginError, Nats, NatsLogin, NatsOptions};

use super::planted::Planted;
use super::servers::Servers;
use super::table::{Case, Ends, case, put, refused};

/// A right file, a wrong one, every secret in the place of the path, and every other one in the file.
fn files(
    planted: &Planted,
    folder: &Path,
    name: &str,
    (right, wrong): (&str, &str),
    options: impl Fn(&Path) -> NatsOptions,
) -> Vec<Case> {
    let written = |which: &str, text: &str| put(folder, &format!("{which}.{name}"), text);
    let line = format!("{right}\n");
    let mut cases = vec![
        case("right", options(&written("right", right)), Ends::Works),
        case(
            "with a line break",
            options(&written("line", &line)),
            Ends::Works,
        ),
        case("wrong", options(&written("wrong", wrong)), Ends::Refused),
    ];
    cases.extend(refused(planted.every(), |text| options(Path::new(text))));
    for (number, (what, text)) in planted.every().into_iter().enumerate() {
        if text != right {
            let path = written(&number.to_string(), &text);
            let what = format!("{what} in the file");
            cases.push(case(what, options(&path), Ends::Refused));
        }
    }
    cases
}

pub(super) fn password_files(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let (url, folder) = (servers.password.url(), servers.password.folder());
    let passwords = (&*planted.password, &*planted.wrong_password);
    let mut cases = files(planted, folder, "password", passwords, |path| {
        Nats::options(&url).user_password_file("anna", path)
    });
    let right = put(folder, "right.password", &planted.password);
    // In the place of the name, a password or a token cannot be told from a name.
    cases.extend(refused(planted.recognizable(), |text| {
        Nats::options(&url).user_password_file(text, &right)
    }));
    cases
}

pub(super) fn token_files(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let (url, folder) = (servers.token.url(), servers.token.folder());
    let tokens = (&*planted.token, &*planted.wrong_token);
    files(planted, folder, "token", tokens, |path| {
        Nats::options(&url).token_file(path)
    })
}

pub(super) fn nkey_files(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let (url, folder) = (servers.nkey.url(), servers.nkey.folder());
    let seeds = (planted.nkey.seed(), planted.wrong_nkey.seed());
    files(planted, folder, "nk", seeds, |path| {
        Nats::options(&url).nkey_file(path)
    })
}

pub(super) fn callbacks(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let returning = |url: &str, login: NatsLogin| {
        Nats::options(url).login_from(move || {
            let login = login.clone();
            async { Ok(login) }
        })
    };
    let with_user = |name: &str, password: &str| {
        returning(&servers.password.url(), NatsLogin::user(name, password))
    };
    let with_token = |token: &str| returning(&servers.token.url(), NatsLogin::token(token));
    let with_nkey = |seed: &str| returning(&servers.nkey.url(), NatsLogin::nkey(seed));
    let with_credentials =
        |text: &str| returning(&servers.operator.url(), NatsLogin::credentials(text));
    let failing = |text: &str| {
        let text = text.to_owned();
        Nats::options(servers.password.url()).login_from(move || {
            let error = LoginError::from(text.clone());
            async { Err(error) }
        })
    };
    let mut cases = vec![
        case("a user", with_user("anna", &planted.password), Ends::Works),
        case("a token", with_token(&planted.token), Ends::Works),
        case("an NKey", with_nkey(planted.nkey.seed()), Ends::Works),
        case(
            "credentials",
            with_credentials(&planted.credentials),
            Ends::Works,
        ),
        case("an error", failing("the vault is sealed"), Ends::Refused),
    ];
    cases.extend(refused(planted.every(), |text| with_user("anna", text)));
    cases.extend(refused(planted.recognizable(), |text| with_user(text, "x")));
    cases.extend(refused(planted.every(), with_token));
    let mut others = planted.every();
    others.remove(0);
    cases.extend(refused(others, with_nkey));
    let others = planted.every().into_iter();
    let others = others.filter(|(what, _)| *what != "credentials");
    cases.extend(refused(others.collect(), with_credentials));
    // The text of an error is the program's own, and shown unless it looks like a secret.
    cases.extend(refused(planted.recognizable(), failing));
    cases
}

/// What `validate` says of every secret in the place of a URL, which connecting says too.
pub(super) fn validated(planted: &Planted, servers: &Servers) -> Vec<Case> {
    for (what, text) in planted.every() {
        for options in [
            Nats::options(&text),
            servers.with_password(planted).name(&text),
            servers.with_password(planted).inbox_prefix(&text),
        ] {
            if let Err(error) = options.validate() {
                planted.assert_hidden(what, &format!("{error} {error:#} {error:?}"));
            }
        }
    }
    let right = servers.with_password(planted);
    assert!(right.validate().is_ok());
    vec![case("beside credentials", right, Ends::Works)]
}

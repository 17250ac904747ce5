//! The table: for each `pub fn` of `NatsOptions` (`cargo xtask tidy` compares), and for the servers'
//! URLs, the places where a secret can stand, right and wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use event_sdk::transport::nats::{Management, Nats, NatsOptions};

use super::logins;
use super::planted::Planted;
use super::servers::Servers;

pub(super) struct Row {
    pub(super) option: &'static str,
    pub(super) cases: Vec<Case>,
}

pub(super) struct Case {
    pub(super) what: String,
    pub(super) options: NatsOptions,
    pub(super) ends: Ends,
}

/// How an attempt to connect ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// Events are published and received.
    Works,
    Connected,
    Refused,
}

/// A row of the table.
fn option(option: &'static str, cases: Vec<Case>) -> Row {
    Row { option, cases }
}

/// An option in which no text can stand: with it, credentials that work are not shown.
fn no_text(name: &'static str, options: NatsOptions) -> Row {
    option(name, vec![case("beside credentials", options, Ends::Works)])
}

pub(super) fn case(what: impl Into<String>, options: NatsOptions, ends: Ends) -> Case {
    Case {
        what: what.into(),
        options,
        ends,
    }
}

/// One refused case for each text.
pub(super) fn refused(
    texts: Vec<(&'static str, String)>,
    options: impl Fn(&str) -> NatsOptions,
) -> impl Iterator<Item = Case> {
    let case = move |(what, text): (_, String)| case(what, options(&text), Ends::Refused);
    texts.into_iter().map(case)
}

pub(super) fn rows(planted: &Planted, servers: &Servers) -> Vec<Row> {
    let second = Duration::from_secs(1);
    let password = || servers.with_password(planted);
    let certificate = || servers.with_certificate(planted);
    vec![
        option("servers", urls(planted, servers)),
        no_text("only_given_servers", password().only_given_servers()),
        option("user", users(planted, servers)),
        option(
            "user_password_file",
            logins::password_files(planted, servers),
        ),
        option("token", tokens(planted, servers)),
        option("token_file", logins::token_files(planted, servers)),
        option("nkey", nkeys(planted, servers)),
        option("nkey_file", logins::nkey_files(planted, servers)),
        option("credentials_file", credentials_files(planted, servers)),
        option("credentials", credentials(planted, servers)),
        option("login_from", logins::callbacks(planted, servers)),
        no_text("tls", certificate().tls()),
        option("ca_file", authorities(planted, servers)),
        option("client_certificate", certificates(planted, servers)),
        option(
            "tls_first",
            vec![
                case("beside a certificate", certificate(), Ends::Works),
                case("in vain", certificate().tls_first(), Ends::Refused),
            ],
        ),
        option(
            "name",
            named(
                planted,
                |name| password().name(name),
                "billing",
                Ends::Works,
            ),
        ),
        option(
            "inbox_prefix",
            named(
                planted,
                |name| password().inbox_prefix(name),
                "_IN.b",
                Ends::Works,
            ),
        ),
        option(
            "domain",
            named(
                planted,
                |name| password().domain(name),
                "hub",
                Ends::Connected,
            ),
        ),
        option(
            "api_prefix",
            named(
                planted,
                |name| password().api_prefix(name),
                "$JS.API",
                Ends::Works,
            ),
        ),
        no_text("management", password().management(Management::Allowed)),
        no_text("connect_timeout", password().connect_timeout(30 * second)),
        option(
            "connect_within",
            vec![
                case(
                    "beside credentials",
                    password().connect_within(second),
                    Ends::Works,
                ),
                case(
                    "beside wrong ones",
                    password()
                        .user("anna", &planted.wrong_password)
                        .connect_within(second),
                    Ends::Refused,
                ),
            ],
        ),
        no_text("request_timeout", password().request_timeout(30 * second)),
        no_text("ping_interval", password().ping_interval(second)),
        no_text(
            "reconnect_delay",
            password().reconnect_delay(second, second),
        ),
        no_text("max_reconnects", password().max_reconnects(3)),
        no_text("max_in_flight", password().max_in_flight(2)),
        no_text("ack_timeout", password().ack_timeout(30 * second)),
        no_text("connection_wait", password().connection_wait(30 * second)),
        no_text(
            "inactive_threshold",
            password().inactive_threshold(60 * second),
        ),
        no_text("max_pull_bytes", password().max_pull_bytes(1 << 20)),
        option("validate", logins::validated(planted, servers)),
    ]
}

fn urls(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let address = servers.address();
    let (right, wrong) = (&*planted.password, &*planted.wrong_password);
    let token = &*planted.token;
    let escaped: Vec<_> = right.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let escaped = escaped.concat();
    let at_token = format!("127.0.0.1:{}", servers.token.port());
    let mut cases = vec![
        case(
            "user and password",
            Nats::options(format!("nats://anna:{right}@{address}")),
            Ends::Works,
        ),
        case(
            "a slash behind",
            Nats::options(format!("NATS://anna:{right}@{address}/")),
            Ends::Works,
        ),
        case(
            "an escaped password",
            Nats::options(format!("nats://anna:{escaped}@{address}")),
            Ends::Works,
        ),
        case(
            "a token",
            Nats::options(format!("nats://{token}@{at_token}")),
            Ends::Works,
        ),
        case(
            "two servers",
            Nats::options(format!(
                "nats://anna:{right}@{address},nats://anna:{right}@{address}"
            )),
            Ends::Works,
        ),
    ];
    for secret in [
        right,
        wrong,
        token,
        "481516234215",
        &escaped,
        planted.nkey.seed(),
    ] {
        let wrong_places = [
            secret.to_owned(),
            format!("nats://{secret}"),
            format!("tls://{secret}"),
            format!("nats://{secret}.invalid/x"),
            format!("{secret}://{address}"),
            format!("nats://anna:{secret}"),
            format!("nats://{secret}:anna"),
            format!("anna:{secret}"),
            format!("tls://anna:{secret}"),
            format!("nats://{address}:{secret}"),
            format!("nats://{address}?password={secret}"),
            format!("nats://{address}/?password={secret}"),
            format!("nats://{address}/{secret}"),
            format!("nats://{address}#{secret}"),
            format!("nats://anna:x@{address}/x?{secret}"),
            format!("nats://anna:x@{address}?{secret}@x"),
            format!("nats://{address}/{secret}@{address}"),
            format!("nats://anna%3A{secret}%40{address}"),
            format!("nats://anna:{secret}%40{address}"),
            format!("http://anna:{secret}@{address}"),
            format!("nats://anna:{secret}@"),
            format!("nats://anna:{secret}@:4222"),
            format!("nats://anna:{secret}@127.0.0.1:x"),
            format!("nats://anna:x@{secret}@127.0.0.1:x"),
            format!("nats://anna:x,{secret}@{address}"),
            format!("nats://anna:x@{address},nats://anna:{secret}"),
            format!("nats://anna:x@{address},nats://anna:{secret}@{address}"),
            format!("nats://{address},anna:{secret}"),
            format!("nats://{address}/,{secret}:x,tls://{address}"),
            format!("nats://{address} {secret}"),
            format!("nats://[{secret}]"),
        ];
        for url in wrong_places {
            cases.push(case(
                url.replace(secret, "SECRET"),
                Nats::options(&url),
                Ends::Refused,
            ));
        }
    }
    cases
}

fn users(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let url = servers.password.url();
    let user = |name: &str, password: &str| Nats::options(&url).user(name, password);
    let mut cases = vec![case("right", user("anna", &planted.password), Ends::Works)];
    cases.extend(refused(planted.every(), |text| user("anna", text)));
    // In the place of the name, a password or a token cannot be told from a name.
    cases.extend(refused(planted.recognizable(), |text| user(text, "x")));
    cases.extend(refused(planted.every(), |text| user(text, "")));
    cases
}

fn tokens(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let token = |token: &str| Nats::options(servers.token.url()).token(token);
    let mut cases = vec![case("right", token(&planted.token), Ends::Works)];
    cases.extend(refused(planted.every(), token));
    cases
}

fn nkeys(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let nkey = |seed: &str| Nats::options(servers.nkey.url()).nkey(seed);
    let mut cases = vec![
        case("right", nkey(planted.nkey.seed()), Ends::Works),
        case("wrong", nkey(planted.wrong_nkey.seed()), Ends::Refused),
    ];
    let mut others = planted.every();
    others.remove(0);
    cases.extend(refused(others, nkey));
    cases
}

fn credentials(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let credentials = |text: &str| Nats::options(servers.operator.url()).credentials(text);
    let mut cases = vec![
        case("right", credentials(&planted.credentials), Ends::Works),
        case(
            "wrong",
            credentials(&planted.wrong_credentials),
            Ends::Refused,
        ),
    ];
    let others = planted.every().into_iter();
    let others = others.filter(|(what, _)| *what != "credentials");
    cases.extend(refused(others.collect(), credentials));
    cases
}

fn credentials_files(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let url = servers.operator.url();
    let credentials = |path: &Path| Nats::options(&url).credentials_file(path);
    let folder = servers.operator.folder();
    let right = put(folder, "right.creds", &planted.credentials);
    let wrong = put(folder, "wrong.creds", &planted.wrong_credentials);
    let mut cases = vec![
        case("right", credentials(&right), Ends::Works),
        case("wrong", credentials(&wrong), Ends::Refused),
    ];
    // The contents instead of the path.
    cases.extend(refused(planted.every(), |text| {
        credentials(Path::new(text))
    }));
    // Other contents in the file.
    let others = planted.every().into_iter().enumerate();
    for (number, (what, text)) in others.filter(|(_, (what, _))| *what != "credentials") {
        let path = put(folder, &format!("{number}.creds"), &text);
        cases.push(case(
            format!("{what} in the file"),
            credentials(&path),
            Ends::Refused,
        ));
    }
    cases
}

fn authorities(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let url = servers.tls.url();
    let identity = &planted.identity;
    let trusting = |path: &Path| {
        Nats::options(&url)
            .client_certificate(identity.certificate(), identity.key())
            .ca_file(path)
    };
    let mut cases = vec![case(
        "right",
        trusting(planted.authority.certificate()),
        Ends::Works,
    )];
    cases.extend(files(planted, servers, "ca", trusting));
    cases
}

fn certificates(planted: &Planted, servers: &Servers) -> Vec<Case> {
    let url = servers.tls.url();
    let (certificate, key) = (planted.identity.certificate(), planted.identity.key());
    let showing = |certificate: &Path, key: &Path| {
        Nats::options(&url)
            .ca_file(planted.authority.certificate())
            .client_certificate(certificate, key)
    };
    let mut cases = vec![
        case("right", showing(certificate, key), Ends::Works),
        case(
            "the other way round",
            showing(key, certificate),
            Ends::Refused,
        ),
    ];
    cases.extend(files(planted, servers, "certificate", |path| {
        showing(path, key)
    }));
    let keys = files(planted, servers, "key", |path| showing(certificate, path));
    cases.extend(keys.filter(|case| case.what != "PEM in the file"));
    cases
}

/// Each text in the place of a path, and in a file.
fn files(
    planted: &Planted,
    servers: &Servers,
    name: &str,
    options: impl Fn(&Path) -> NatsOptions,
) -> impl Iterator<Item = Case> {
    let folder = servers.tls.folder();
    let texts = planted.every().into_iter().enumerate();
    texts.flat_map(move |(number, (what, text))| {
        let path = put(folder, &format!("{name}-{number}.pem"), &text);
        [
            case(what, options(Path::new(&text)), Ends::Refused),
            case(format!("{what} in the file"), options(&path), Ends::Refused),
        ]
    })
}

/// A good name, and each text by whose form it is known that it is a secret.
fn named(
    planted: &Planted,
    options: impl Fn(&str) -> NatsOptions,
    good: &str,
    ends: Ends,
) -> Vec<Case> {
    let mut cases = vec![case("right", options(good), ends)];
    cases.extend(refused(planted.recognizable(), options));
    cases
}

pub(super) fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

//! `Servers`: the list of server URLs, and the credentials in them.

use std::fmt;

use super::auth::{Login, Secret};
use super::refused;
use super::url::{ServerUrl, UrlFault};
use event_sdk_core::transport::Error;

/// The servers as they were given. They may contain secrets, which `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Servers(String);

/// The parsed URLs of the servers.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Addresses without secrets.
    pub(crate) addresses: Vec<Address>,
    pub(crate) login: Option<Login>,
}

/// The address of a server, without credentials.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) server: async_nats::ServerAddr,
    /// Whether the host may be a token without its `@host`.
    pub(crate) may_be_token: bool,
}

impl Servers {
    pub(super) fn new(list: &str) -> Self {
        Self(list.to_owned())
    }

    /// Returns the addresses, and the credentials if the URLs have some.
    pub(crate) fn resolve(&self) -> Result<Resolved, Error> {
        let mut addresses = Vec::new();
        let mut login = None;
        if self.is_torn() {
            return Err(refused(
                "a URL with credentials and without a scheme follows one of another form: write `nats://` before each, and `%2C` for a comma in a password",
            ));
        }
        for url in self.each() {
            let url = ServerUrl::split(url);
            let refuse = |fault: UrlFault| {
                refused(format!(
                    "`{url}` is not the URL of a server: {fault}; write `nats://host:port` or `tls://host:port`"
                ))
            };
            let server = url.address().map_err(refuse)?;
            addresses.push(Address {
                server: server.parse().map_err(|_| refuse(UrlFault::Host))?,
                may_be_token: url.may_be_token(),
            });
            let Some(user) = url.user else { continue };
            let found = credentials(user);
            if login.as_ref().is_some_and(|login| *login != found) {
                return Err(refused(
                    "the servers' URLs name different users; name one for all, with `user`",
                ));
            }
            login = Some(found);
        }
        if addresses.is_empty() {
            return Err(refused("no server is named; write `nats://host:port`"));
        }
        Ok(Resolved { addresses, login })
    }

    /// Whether every URL requires TLS. TLS is then also required for servers that the cluster
    /// announces, without a scheme and over a connection that is not yet secure.
    pub(crate) fn all_secure(&self) -> bool {
        self.each().all(|url| ServerUrl::split(url).is_secure())
    }

    fn each(&self) -> impl Iterator<Item = &str> {
        let urls = self.0.split(',').map(str::trim);
        urls.filter(|url| !url.is_empty())
    }

    /// Whether a comma may be part of a password: the parts are then not URLs, and none of them may
    /// be shown.
    fn is_torn(&self) -> bool {
        let bare = |url: &str| !url.contains("://");
        let first = self.each().next().unwrap_or_default();
        let begins_bare = bare(first) && first.contains('@');
        let mut others = self.each().skip(1);
        !begins_bare && others.any(|url| bare(url) && url.contains('@'))
    }
}

/// `user:password`, or a token.
fn credentials(text: &str) -> Login {
    match text.split_once(':') {
        Some((user, password)) => Login::User {
            name: unescaped(user),
            password: Secret::new(unescaped(password)),
        },
        None => Login::Token(Secret::new(unescaped(text))),
    }
}

/// Decodes the escapes of URLs (`%40` for `@`); other text stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let hex = others
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.may_be_token {
            return f.write_str("…");
        }
        write!(f, "{}:{}", self.server.host(), self.server.port())
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        if self.is_torn() {
            return list.entry(&format_args!("…")).finish();
        }
        for url in self.each() {
            list.entry(&format_args!("{}", ServerUrl::split(url)));
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(list: &str) -> Result<(Vec<String>, Option<Login>), Error> {
        let Resolved { addresses, login } = Servers::new(list).resolve()?;
        let addresses = addresses
            .iter()
            .map(|a| format!("{}:{}", a.server.host(), a.server.port()));
        Ok((addresses.collect(), login))
    }

    #[test]
    fn several_servers_are_read() {
        let (addresses, login) =
            resolve("nats://one:1234, tls://two ,three:99,nats://[::1]:7").unwrap();
        assert_eq!(addresses, ["one:1234", "two:4222", "three:99", "::1:7"]);
        assert!(login.is_none());
    }

    #[test]
    fn credentials_are_taken_out_of_the_url() {
        let user = |name: &str, password: &str| {
            Some(Login::User {
                name: name.to_owned(),
                password: Secret::new(password),
            })
        };
        let login = |url| resolve(url).unwrap().1;
        assert_eq!(login("nats://me:secret@host"), user("me", "secret"));
        assert_eq!(login("me:se%40cr%2fet@host"), user("me", "se@cr/et"));
        assert_eq!(login("me:p@ss%zz%4@host"), user("me", "p@ss%zz%4"));
        assert_eq!(
            login("nats://tok@one,nats://tok@two,nats://three"),
            Some(Login::Token(Secret::new("tok")))
        );
    }

    #[test]
    fn a_slash_at_the_end_and_capitals_are_accepted() {
        let (addresses, _) = resolve("NATS://one:1/, Tls://two.example/,nats://[::1]/").unwrap();
        assert_eq!(addresses, ["one:1", "two.example:4222", "::1:4222"]);
        let (addresses, _) = resolve("nats+tls://one,NATS+TLS://me:secret@two:1").unwrap();
        assert_eq!(addresses, ["one:4222", "two:1"]);
    }

    #[test]
    fn what_is_no_server_is_refused_without_its_secrets() {
        for list in [
            "",
            " , ",
            "http://me:hidden@host",
            "hidden://host",
            "nats://me:hidden@",
            "nats://me:hidden@:4222",
            "nats://me:hidden@host:port",
            "nats://me:hidden@host:99999",
            "nats://me:hidden@ho st",
            "nats://me:hidden@host/path",
            "nats://me:hidden@one,nats://you:hidden@two",
            // A comma in a password.
            "nats://me:hidden,secret@host",
            "nats://me:hid,hidden,secret@host:1",
            "nats://me:4321,1hidden@host",
            "nats://me:h@hidden,secret@host",
            "me:hidden,secret@host",
            // Credentials in the wrong place.
            "nats://me:hidden",
            "me:hidden",
            "nats://host:4222:hidden",
            "nats://hidden:me",
            "nats://me%3Ahidden%40host:x",
            "nats://me:hidden%40host",
            "nats://host?password=hidden",
            "nats://host:4222?password=hidden",
            "nats://host/hidden",
            "nats://host#hidden",
            "nats://u:p@host/x?hidden",
            "nats://u:p@host?hidden@hidden",
            "nats://me:x/hidden@host",
            "nats://me:4/hidden@host",
            "nats://me:p@ss:hidden",
            "tls://one:1,tls://me:hidden,tls://three",
            "tls://one:1/,hidden:x",
            "nats://hidden.4321/x",
            "nats://host:4222/ hidden",
            "nats://[hidden]",
            "nats://[::1]hidden",
        ] {
            let error = resolve(list).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", Servers::new(list));
            assert!(!shown.contains("hidden"), "{list}: {shown}");
            assert!(!shown.contains("4321"), "{list}: {shown}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for (list, shown) in [
            (
                "nats://me:hidden@one.example,tls://hidden@two:1,nats://me:hid@den@three:3/",
                "[nats://one.example, tls://two:1, nats://three:3]",
            ),
            (
                "me:hidden@one:1,me:hid://den@two:2",
                "[nats://one:1, nats://…]",
            ),
            ("nats://me:hidden,den@one", "[…]"),
            (
                "localhost,nats://[::1]:7,127.0.0.1",
                "[nats://localhost, nats://[::1]:7, nats://127.0.0.1]",
            ),
            // A host without a domain or a port may be a token or a password.
            ("nats://hidden", "[nats://…]"),
            ("me:h@hidden", "[nats://…]"),
            ("nats://5f9hiddenc3a8d1e7b2064:4222", "[nats://…]"),
            (
                "nats://host.example:4222/hidden",
                "[nats://host.example:4222…]",
            ),
            ("nats://hidden.example/hidden", "[nats://…]"),
        ] {
            assert_eq!(format!("{:?}", Servers::new(list)), shown);
        }
        let Resolved { addresses, .. } = Servers::new("nats://hidden").resolve().unwrap();
        assert!(!format!("{addresses:?}").contains("hidden"));
    }

    #[test]
    fn all_of_them_are_secure_or_not() {
        assert!(Servers::new("tls://one,tls://me:secret@two:4222").all_secure());
        assert!(Servers::new("nats+tls://one,tls://two").all_secure());
        for list in ["tls://one,two", "nats://one", "tls://one,nats://two"] {
            assert!(!Servers::new(list).all_secure(), "{list}");
        }
    }
}

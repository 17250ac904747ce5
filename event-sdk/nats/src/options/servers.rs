//! Server URLs: parsing, resolving, and credentials in a URL.

use std::fmt;

use super::auth::{Auth, Secret};
use super::refused;
use event_sdk_core::transport::Error;

/// The servers as they were given. They may have secrets in them, and are
/// shown without.
#[derive(Clone)]
pub(crate) struct Servers(String);

impl Servers {
    pub(super) fn new(list: &str) -> Self {
        Self(list.to_owned())
    }

    /// The addresses without secrets, and who connects if they say so.
    pub(crate) fn resolve(&self) -> Result<(Vec<async_nats::ServerAddr>, Option<Auth>), Error> {
        let mut addresses = Vec::new();
        let mut auth = None;
        if self.is_torn() {
            return Err(refused(
                "a URL with credentials and without a scheme follows one of another form: write `nats://` before each, and `%2C` for a comma in a password",
            ));
        }
        for url in self.each() {
            let Url {
                scheme,
                user,
                address,
            } = Url::split(url);
            if !["nats", "tls"].contains(&scheme) {
                return Err(refused(format!(
                    "{scheme}://{address} has a scheme that is not known here; write `nats://host:port` or `tls://host:port`"
                )));
            }
            let bare = format!("{scheme}://{address}");
            let parsed = bare.parse().ok().filter(|_| is_address(address));
            addresses.push(parsed.ok_or_else(|| {
                refused(format!(
                    "{bare:?} is no server's URL; write `nats://host:port` or `tls://host:port`"
                ))
            })?);
            let Some(user) = user else { continue };
            let found = credentials(user);
            if auth.as_ref().is_some_and(|auth| *auth != found) {
                return Err(refused(
                    "the servers' URLs name different users; name one for all, with `user`",
                ));
            }
            auth = Some(found);
        }
        if addresses.is_empty() {
            return Err(refused("no server is named; write `nats://host:port`"));
        }
        Ok((addresses, auth))
    }

    /// Whether TLS is asked for by every URL. Then it holds of the servers too that
    /// the cluster announces, without a scheme and before anything is secure.
    pub(crate) fn all_secure(&self) -> bool {
        self.each().all(|url| Url::split(url).scheme == "tls")
    }

    fn each(&self) -> impl Iterator<Item = &str> {
        let urls = self.0.split(',').map(str::trim);
        urls.filter(|url| !url.is_empty())
    }

    /// Whether a comma may stand in a password: then the parts are no URLs, and
    /// none of them may be shown.
    fn is_torn(&self) -> bool {
        let bare = |url: &str| !url.contains("://");
        let first = self.each().next().unwrap_or_default();
        let begins_bare = bare(first) && first.contains('@');
        let mut others = self.each().skip(1);
        !begins_bare && others.any(|url| bare(url) && url.contains('@'))
    }
}

struct Url<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    address: &'a str,
}

impl<'a> Url<'a> {
    fn split(url: &'a str) -> Self {
        let (scheme, rest) = url
            .split_once("://")
            // Behind a colon it is a part of a password.
            .filter(|(scheme, _)| !scheme.contains([':', '@']))
            .unwrap_or(("nats", url));
        // A password may have an `@` that nobody escaped.
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, rest),
        };
        Self {
            scheme,
            user,
            address,
        }
    }
}

/// Whether a text has nothing but the characters of names, addresses and ports.
fn is_address(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]%".contains(&b);
    !text.is_empty() && !text.starts_with(':') && text.bytes().all(known)
}

/// `user:password`, or a token.
fn credentials(text: &str) -> Auth {
    match text.split_once(':') {
        Some((user, password)) => Auth::User {
            name: unescaped(user),
            password: Secret::new(unescaped(password)),
        },
        None => Auth::Token(Secret::new(unescaped(text))),
    }
}

/// Undoes the escaping of URLs (`%40` for `@`); what is no escape stays.
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

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        if self.is_torn() {
            return list.entry(&format_args!("…")).finish();
        }
        for url in self.each() {
            let Url {
                scheme, address, ..
            } = Url::split(url);
            list.entry(&format_args!("{scheme}://{address}"));
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(list: &str) -> Result<(Vec<String>, Option<Auth>), Error> {
        let (addresses, auth) = Servers::new(list).resolve()?;
        let addresses = addresses
            .iter()
            .map(|a| format!("{}:{}", a.host(), a.port()));
        Ok((addresses.collect(), auth))
    }

    #[test]
    fn several_servers_are_read() {
        let (addresses, auth) =
            resolve("nats://one:1234, tls://two ,three:99,nats://[::1]:7").unwrap();
        assert_eq!(addresses, ["one:1234", "two:4222", "three:99", "::1:7"]);
        assert!(auth.is_none());
    }

    #[test]
    fn credentials_are_taken_out_of_the_url() {
        let user = |name: &str, password: &str| {
            Some(Auth::User {
                name: name.to_owned(),
                password: Secret::new(password),
            })
        };
        let auth = |url| resolve(url).unwrap().1;
        assert_eq!(auth("nats://me:secret@host"), user("me", "secret"));
        assert_eq!(auth("me:se%40cr%2fet@host"), user("me", "se@cr/et"));
        assert_eq!(auth("me:p@ss%zz%4@host"), user("me", "p@ss%zz%4"));
        assert_eq!(
            auth("nats://tok@one,nats://tok@two,nats://three"),
            Some(Auth::Token(Secret::new("tok")))
        );
    }

    #[test]
    fn what_is_no_server_is_refused_without_its_secrets() {
        for list in [
            "",
            " , ",
            "http://me:hidden@host",
            "nats://me:hidden@",
            "nats://me:hidden@:4222",
            "nats://me:hidden@host:port",
            "nats://me:hidden@ho st",
            "nats://me:hidden@host/path",
            "nats://me:hidden@one,nats://you:hidden@two",
            // A comma in a password.
            "nats://me:hidden,secret@host",
            "nats://me:hid,hidden,secret@host:1",
            "nats://me:4321,1hidden@host",
            "nats://me:h@hidden,secret@host",
            "me:hidden,secret@host",
        ] {
            let error = resolve(list).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", Servers::new(list));
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(!shown.contains("4321"), "{shown}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for (list, shown) in [
            (
                "nats://me:hidden@one,tls://hidden@two:1,nats://me:hid@den@three",
                "[nats://one, tls://two:1, nats://three]",
            ),
            ("me:hidden@one,me:hid://den@two", "[nats://one, nats://two]"),
            ("nats://me:hidden,den@one", "[…]"),
        ] {
            assert_eq!(format!("{:?}", Servers::new(list)), shown);
        }
    }

    #[test]
    fn all_of_them_are_secure_or_not() {
        assert!(Servers::new("tls://one,tls://me:secret@two:4222").all_secure());
        for list in ["tls://one,two", "nats://one", "tls://one,nats://two"] {
            assert!(!Servers::new(list).all_secure(), "{list}");
        }
    }
}

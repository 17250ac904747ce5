//! `Secured`: TLS and one user with a password in a file, and the variables by which a program of event-sdk connects
//! so.

use std::ffi::OsString;
use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::{Authority, Error, Options, Server, Tls, User};

const PASSWORD: &str = "sesame";

/// The set-up of servers that take TLS and one user alone. Its files are there until it is dropped.
#[derive(Debug)]
pub struct Secured {
    user: &'static str,
    authority: Authority,
    password: NamedTempFile,
}

impl Secured {
    /// With a user of this name.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn new(user: &'static str) -> Result<Self, Error> {
        let file = || {
            let mut file = NamedTempFile::new()?;
            writeln!(file, "{PASSWORD}")?;
            Ok(file)
        };
        let password = file().map_err(|source| Error::System {
            server: user.to_owned(),
            action: "write the file of its password",
            source,
        });
        Ok(Self {
            user,
            authority: Authority::new()?,
            password: password?,
        })
    }

    /// The options of its servers.
    pub fn options(&self) -> Options {
        let options = Server::options().tls(Tls::new(&self.authority));
        options.users([User::password(self.user, PASSWORD)])
    }

    /// The variables of a program that connects to the servers at `url`.
    pub fn variables(&self, url: &str) -> [(&'static str, OsString); 6] {
        [
            ("EVENT_SDK_TRANSPORT", "nats".into()),
            ("EVENT_SDK_NATS__URL", url.into()),
            // A cluster on a busy machine takes its time.
            ("EVENT_SDK_NATS__REQUEST_TIMEOUT", "60s".into()),
            (
                "EVENT_SDK_NATS__CA_FILE",
                self.authority.certificate().into(),
            ),
            ("EVENT_SDK_NATS__USER", self.user.into()),
            ("EVENT_SDK_NATS__PASSWORD_FILE", self.password.path().into()),
        ]
    }
}

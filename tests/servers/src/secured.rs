//! `Secured`: TLS and one user with a password in a file, the variables by which a program of event-sdk connects so,
//! and the rotation of the password.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{fs, io};

use tempfile::TempDir;

use crate::{Authority, Cluster, Error, Options, Server, Tls, User};

const FIRST: &str = "sesame-57c1";
const SECOND: &str = "barley-e08a";

/// The set-up of servers that take TLS and one user alone. Its files are there until it is dropped.
#[derive(Debug)]
pub struct Secured {
    user: &'static str,
    authority: Authority,
    files: TempDir,
}

impl Secured {
    /// With a user of this name.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn new(user: &'static str) -> Result<Self, Error> {
        let secured = Self {
            user,
            authority: Authority::new()?,
            files: tempfile::tempdir().map_err(|source| not_written(user, source))?,
        };
        secured.write(&secured.password_file(), FIRST)?;
        Ok(secured)
    }

    /// The options of its servers.
    pub fn options(&self) -> Options {
        let options = Server::options().tls(Tls::new(&self.authority));
        options.users([User::password(self.user, FIRST)])
    }

    /// The variables of a program that connects to the servers at `url`. They name the file of the password.
    pub fn variables(&self, url: &str) -> [(&'static str, OsString); 6] {
        self.variables_with(url, self.password_file())
    }

    /// The same with the password from before [`rotate`](Self::rotate).
    ///
    /// # Errors
    ///
    /// If its file cannot be written.
    pub fn variables_with_old_password(
        &self,
        url: &str,
    ) -> Result<[(&'static str, OsString); 6], Error> {
        let file = self.files.path().join("old.password");
        self.write(&file, FIRST)?;
        Ok(self.variables_with(url, file))
    }

    /// Writes another password into its file, and has each server take it instead of the first one. Once.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or a server does not take the new password in time.
    pub async fn rotate(&self, cluster: &mut Cluster) -> Result<(), Error> {
        self.write(&self.password_file(), SECOND)?;
        for index in 0..cluster.servers().len() {
            let server = cluster.server(index);
            server
                .reconfigure(|text| text.replace(FIRST, SECOND))
                .await?;
        }
        Ok(())
    }

    fn variables_with(&self, url: &str, password: PathBuf) -> [(&'static str, OsString); 6] {
        [
            ("EVENT_SDK_TRANSPORT", "nats".into()),
            ("EVENT_SDK_NATS__URL", url.into()),
            // A cluster on a busy machine takes its time. A lost request is sent again after a third of it.
            ("EVENT_SDK_NATS__REQUEST_TIMEOUT", "30s".into()),
            (
                "EVENT_SDK_NATS__CA_FILE",
                self.authority.certificate().into(),
            ),
            ("EVENT_SDK_NATS__USER", self.user.into()),
            ("EVENT_SDK_NATS__PASSWORD_FILE", password.into()),
        ]
    }

    fn password_file(&self) -> PathBuf {
        self.files.path().join("password")
    }

    fn write(&self, file: &PathBuf, password: &str) -> Result<(), Error> {
        let written = fs::write(file, format!("{password}\n"));
        written.map_err(|source| not_written(self.user, source))
    }
}

fn not_written(user: &str, source: io::Error) -> Error {
    Error::System {
        server: user.to_owned(),
        action: "write the file of its password",
        source,
    }
}

//! Makes the data folder of a new PostgreSQL, and starts the server on it.

use std::fs;
use std::path::PathBuf;

use event_sdk_nats_server::{Error as ServerError, Launch};

use super::error::Error;
use super::{Postgres, USER, WITHIN};

impl Postgres {
    /// Runs `initdb`, with what is the same on every machine instead of the system's locale.
    pub(super) async fn make_data(&mut self) -> Result<(), Error> {
        let launch = Launch::new(
            &self.programs.initdb,
            self.folder.path(),
            self.folder.path().join("initdb.log"),
        );
        let launch = ["--no-sync", "--no-instructions", "--auth=trust"]
            .into_iter()
            .chain(["--encoding=UTF8", "--locale=C", "--username", USER])
            .fold(launch, Launch::argument)
            .argument("--pgdata")
            .argument(self.data());
        let outcome = async {
            let mut process = self.as_its_user(launch).start()?;
            process.wait(WITHIN).await
        };
        let log = || fs::read_to_string(self.folder.path().join("initdb.log")).unwrap_or_default();
        match outcome.await {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(ServerError::Ended {
                server: self.name.clone(),
                awaited: "its new data folder",
                status: status.to_string(),
                log: log(),
            }
            .into()),
            Ok(None) => Err(ServerError::TimedOut {
                server: self.name.clone(),
                awaited: "its new data folder",
                within: WITHIN,
                last: "initdb still runs".to_owned(),
                log: log(),
            }
            .into()),
            Err(source) => Err(self.system("run initdb", source)),
        }
    }

    pub(super) fn launch(&mut self) -> Result<(), Error> {
        let launch = Launch::new(&self.programs.postgres, self.folder.path(), self.log_file())
            .quits()
            .argument("-D")
            .argument(self.data());
        let port = ("port".to_owned(), self.port().to_string());
        let settings = self.settings.iter().chain([&port]);
        let launch = settings.fold(launch, |launch, (name, value)| {
            launch.argument("-c").argument(format!("{name}={value}"))
        });
        let started = self.as_its_user(launch).start();
        self.process = Some(started.map_err(|source| self.system("start its program", source))?);
        Ok(())
    }

    fn as_its_user(&self, launch: Launch) -> Launch {
        match self.account {
            Some(account) => launch.user(account.user, account.group),
            None => launch,
        }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

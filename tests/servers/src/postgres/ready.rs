//! Waits until a started PostgreSQL accepts sessions.

use std::io;

use event_sdk_nats_server::{Error as ServerError, Patience, Process};

use super::error::Error;
use super::session::SessionError;
use super::{MAINTENANCE, Postgres, Session, WITHIN};

const AWAITED: &str = "an answer";

impl Postgres {
    /// Waits until it answers with its own data folder.
    ///
    /// A killed server may have left a process that still ends; then the new one ends as well, and
    /// is started again.
    pub(super) async fn ready(&mut self) -> Result<(), Error> {
        let mut patience = Patience::new(WITHIN);
        loop {
            let running = self.is_running();
            let last = match self.answers().await {
                Ok(()) => return Ok(()),
                Err(last) => last,
            };
            if !running && !self.log_end().contains(STILL_USED) {
                return Err(self.ended());
            }
            if !patience.again().await {
                return Err(self.timed_out(AWAITED, &last.to_string()));
            }
            if !running {
                self.launch()?;
            }
        }
    }

    async fn answers(&self) -> Result<(), SessionError> {
        let mut session = Session::open(self.port(), MAINTENANCE).await?;
        let data = session.value("show data_directory").await?;
        if data == self.data().to_string_lossy() {
            Ok(())
        } else {
            Err(io::Error::other("another server answers on its port").into())
        }
    }

    fn ended(&mut self) -> Error {
        let status = match self.process.as_mut().map(Process::ended) {
            Some(Ok(Some(status))) => status.to_string(),
            _ => "it is not running".to_owned(),
        };
        ServerError::Ended {
            server: self.name.clone(),
            awaited: AWAITED,
            status,
            log: self.log_end(),
        }
        .into()
    }
}

/// What a server logs when another process still uses its data.
const STILL_USED: &str = "is still in use";

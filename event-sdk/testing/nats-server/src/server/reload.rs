//! Changes the configuration of a server that runs.

use std::path::Path;
use std::{fs, io};

use rustix::process::Signal;

use super::{NatsServer, WITHIN};
use crate::Error;
use crate::wait::Patience;

impl NatsServer {
    /// Changes the configuration of the running server: writes the file, makes the server read it
    /// (`SIGHUP`), and waits until it has. `change` receives the text of the file and returns the
    /// new text. If users were changed, the server closes the connections of users that it no
    /// longer accepts.
    ///
    /// If the server refuses the configuration, the file gets its former text again.
    ///
    /// Not cancel-safe: after dropping the future, the file may be written and not read.
    ///
    /// # Errors
    ///
    /// - [`Error::State`] if the server is not running or is paused;
    /// - [`Error::System`] if the file cannot be read or written, if the server refuses the
    ///   configuration (with the end of its log), or if it does not answer on its monitoring port;
    /// - [`Error::TimedOut`] if the server does not read the file in time.
    pub async fn reconfigure(
        &mut self,
        change: impl FnOnce(String) -> String,
    ) -> Result<(), Error> {
        self.expect_awake("reconfigure")?;
        let file = self.folder.config();
        let text = fs::read_to_string(&file);
        let text = text.map_err(|source| self.system("read its configuration", source))?;
        let (before, refusals) = (self.loaded_at().await?, self.refusals());
        self.write(&file, &change(text.clone()))?;
        self.signal("reconfigure", Signal::HUP)?;
        let mut patience = Patience::new(WITHIN);
        while self.loaded_at().await? == before {
            if self.refusals() > refusals {
                self.write(&file, &text)?;
                let log = io::Error::other(self.folder.log_end());
                return Err(self.system("read its new configuration; its log ends", log));
            }
            if !patience.again().await {
                return Err(self.timed_out("its new configuration", WITHIN, "it has the old one"));
            }
        }
        Ok(())
    }

    fn write(&self, file: &Path, text: &str) -> Result<(), Error> {
        let written = fs::write(file, text);
        written.map_err(|source| self.system("write its configuration", source))
    }

    /// How often it has refused a new configuration.
    fn refusals(&self) -> usize {
        let log = self.log();
        log.matches("Failed to reload server configuration").count()
    }

    /// When it has read its configuration, with parts of a second.
    async fn loaded_at(&self) -> Result<serde_json::Value, Error> {
        let mut server = self.monitor("/varz").await?;
        Ok(server["config_load_time"].take())
    }
}

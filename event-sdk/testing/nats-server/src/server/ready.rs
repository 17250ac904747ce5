//! Waits until a started server accepts clients.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpStream;

use super::{NatsServer, WITHIN};
use crate::process::Process;
use crate::wait::Patience;
use crate::{Error, monitoring};

const AWAITED: &str = "an answer";

impl NatsServer {
    /// Waits until the server answers with its own name and accepts connections.
    ///
    /// # Errors
    ///
    /// If the server ends, or does not answer in time.
    pub async fn ready(&mut self) -> Result<(), Error> {
        let mut patience = Patience::new(WITHIN);
        while self.is_running() {
            match self.answers().await {
                Ok(()) => return Ok(()),
                Err(_) if patience.again().await => {}
                Err(last) => return Err(self.timed_out(AWAITED, WITHIN, &last.to_string())),
            }
        }
        Err(self.ended())
    }

    /// The port of clients is the last one that a server opens. Alone, it also says that its
    /// streams are there; in a cluster it could not without the others.
    async fn answers(&self) -> io::Result<()> {
        let port = self.monitoring.number();
        let own = monitoring::get(port, "/varz").await?;
        if own["server_name"] != self.name.as_str() {
            return Err(io::Error::other("another server answers on its port"));
        }
        if self.alone {
            monitoring::get(port, "/healthz").await?;
        }
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).await?;
        Ok(())
    }

    fn ended(&mut self) -> Error {
        let status = match self.process.as_mut().map(Process::ended) {
            Some(Ok(Some(status))) => status.to_string(),
            _ => "it is not running".to_owned(),
        };
        Error::Ended {
            server: self.name.clone(),
            awaited: AWAITED,
            status,
            log: self.folder.log_end(),
        }
    }
}

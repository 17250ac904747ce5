//! How a server is to be: what a test asks for before it starts one.

use event_sdk_test_programs::Program;

use crate::{Error, Server};

/// What a server is started with; [`Server::options`] makes it.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) program: Option<Program>,
    pub(crate) jetstream: bool,
    pub(crate) max_payload: Option<usize>,
    pub(crate) text: String,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            program: None,
            jetstream: true,
            max_payload: None,
            text: String::new(),
        }
    }

    /// Starts this program instead of the current one, such as
    /// [`programs::nats::old`](crate::programs::nats::old) finds.
    pub fn program(mut self, program: Program) -> Self {
        self.program = Some(program);
        self
    }

    /// Starts a server that has no JetStream.
    pub fn without_jetstream(mut self) -> Self {
        self.jetstream = false;
        self
    }

    /// The largest payload, in bytes, that the server takes; its own default is 1 MiB.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// Adds lines to the configuration file, as the server's documentation describes them.
    pub fn config(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self.text.push('\n');
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// If there is no program, it ends by itself, or does not answer in time.
    pub async fn start(self) -> Result<Server, Error> {
        Server::start_with(self).await
    }
}

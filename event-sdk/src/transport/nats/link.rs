//! What all parts of the transport share: the connection and its settings.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::{self, About, Response};
use super::options::{Auth, Management, NatsOptions};
use super::server::Server;
use crate::transport::{Capabilities, Error, ErrorKind, Operation};

/// A connection, and what was learnt of the server behind it.
pub(super) struct Link {
    client: async_nats::Client,
    options: NatsOptions,
    closed: AtomicBool,
}

impl Link {
    pub(super) async fn connect(options: NatsOptions) -> Result<Arc<Self>, Error> {
        let addresses = options.servers.addresses()?;
        let mut connect = match &options.auth {
            None => async_nats::ConnectOptions::new(),
            Some(Auth::User { name, password }) => {
                async_nats::ConnectOptions::with_user_and_password(
                    name.clone(),
                    password.reveal().to_owned(),
                )
            }
            Some(Auth::Token(token)) => {
                async_nats::ConnectOptions::with_token(token.reveal().to_owned())
            }
            Some(Auth::NKey(seed)) => {
                async_nats::ConnectOptions::with_nkey(seed.reveal().to_owned())
            }
            Some(Auth::CredentialsFile(path)) => {
                async_nats::ConnectOptions::with_credentials_file(path)
                    .await
                    .map_err(|error| unreadable(&error))?
            }
            Some(Auth::Credentials(text)) => {
                async_nats::ConnectOptions::with_credentials(text.reveal())
                    .map_err(|error| unreadable(&error))?
            }
        }
        .custom_inbox_prefix(&options.inbox_prefix)
        .connection_timeout(options.connect_timeout)
        .request_timeout(Some(options.request_timeout));
        if let Some(name) = &options.name {
            connect = connect.name(name);
        }
        let client = connect
            .connect(addresses)
            .await
            .map_err(fault::connecting)?;
        Ok(Arc::new(Self {
            client,
            options,
            closed: AtomicBool::new(false),
        }))
    }

    /// The client, for subscriptions and for messages without an answer.
    pub(super) fn client(&self) -> &async_nats::Client {
        &self.client
    }

    pub(super) fn options(&self) -> &NatsOptions {
        &self.options
    }

    /// What the server that is connected now said of itself.
    pub(super) fn server(&self) -> Server {
        Server::learn(&self.client.server_info())
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.server().capabilities()
    }

    /// A subject of the JetStream API: `<prefix>.<call>`.
    pub(super) fn api(&self, call: impl fmt::Display) -> String {
        format!("{}.{call}", self.options.api_prefix)
    }

    /// Refuses everything after [`close`](Self::close).
    pub(super) fn check_open(&self, operation: Operation) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(operation));
        }
        Ok(())
    }

    /// Makes a call of the JetStream API that looks at streams and consumers or
    /// changes them: `call` is what follows the API's prefix, such as
    /// `STREAM.INFO.ORDERS`, and `request` what is sent as JSON.
    ///
    /// Refused without being sent where management calls are switched off.
    /// Cancel-safe: the call may have been made all the same.
    pub(super) async fn request<Q: Serialize + Sync, R: DeserializeOwned>(
        &self,
        about: &About,
        call: &str,
        request: &Q,
    ) -> Result<R, Error> {
        self.check_open(about.operation)?;
        if self.options.management == Management::Never {
            return Err(about.error(
                ErrorKind::InvalidOption,
                format!("it needs the call {call}, and management calls are switched off"),
            ));
        }
        let payload = serde_json::to_vec(request).map_err(|error| {
            about
                .error(ErrorKind::Encode, "the request cannot be written as JSON")
                .with_source(error)
        })?;
        let message = self.ask(about, self.api(call), payload.into()).await?;
        match serde_json::from_slice(&message.payload) {
            Ok(Response::Ok(response)) => Ok(response),
            Ok(Response::Err { error }) => Err(error.into_error(about)),
            Err(error) => Err(about
                .error(
                    ErrorKind::Other,
                    format!("the server's answer to {call} cannot be read"),
                )
                .with_source(error)),
        }
    }

    /// Sends `payload` to `subject` and waits for one answer, for as long as a
    /// request may take.
    pub(super) async fn ask(
        &self,
        about: &About,
        subject: String,
        payload: Bytes,
    ) -> Result<async_nats::Message, Error> {
        self.client
            .request(subject.clone(), payload)
            .await
            .map_err(|error| {
                let (kind, reason) = match error.kind() {
                    async_nats::RequestErrorKind::TimedOut => (
                        ErrorKind::Timeout,
                        format!(
                            "no answer from {subject} within {:?}",
                            self.options.request_timeout
                        ),
                    ),
                    async_nats::RequestErrorKind::NoResponders => (
                        ErrorKind::Other,
                        format!("nobody answers at {subject}; is JetStream enabled?"),
                    ),
                    _ => (
                        ErrorKind::Disconnected,
                        "the connection was lost".to_owned(),
                    ),
                };
                about.error(kind, reason).with_source(error)
            })
    }

    pub(super) async fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            // An error says that it is closed already.
            let _ = self.client.drain().await;
        }
    }
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::InvalidOption,
        Operation::Configure,
        format!("the credentials cannot be read: {}", error.kind()),
    )
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("options", &self.options)
            .field("state", &self.client.connection_state())
            .finish_non_exhaustive()
    }
}

//! `Dialer`: opens a connection to one server: TCP, `INFO`, TLS, `CONNECT`, and the server's
//! answer to it.

use std::io;
use std::sync::Arc;

use async_nats::rustls::ClientConfig;
use async_nats::rustls::pki_types::ServerName;
use async_nats::{ConnectError, ConnectErrorKind, ServerError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::info::ServerInfo;
use super::server_list::ServerAddress;
use super::socket::Socket;
use super::wire::{Decoder, Frame};
use crate::options::{Auth, NatsOptions};

/// What it takes to connect.
pub(super) struct Dialer {
    options: NatsOptions,
    auth: Option<Auth>,
    tls: Arc<ClientConfig>,
}

/// A connection on which the server has accepted us.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) socket: Socket,
    /// Has what came behind the server's answer.
    pub(super) decoder: Decoder,
    pub(super) info: ServerInfo,
}

/// What a client says of itself (NATS client protocol, `CONNECT`).
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the fields of the protocol"
)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    tls_required: bool,
    name: &'a str,
    lang: &'static str,
    version: &'static str,
    protocol: u8,
    echo: bool,
    headers: bool,
    no_responders: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
}

/// What the name of this connection ends with, to tell it from that of the other one.
const SUFFIX: &str = "deliveries";

/// Its name where the other has none.
const NAME: &str = "event-sdk-deliveries";

impl Dialer {
    pub(super) fn new(options: NatsOptions, auth: Option<Auth>, tls: ClientConfig) -> Self {
        Self {
            options,
            auth,
            tls: Arc::new(tls),
        }
    }

    pub(super) fn auth(&self) -> Option<&Auth> {
        self.auth.as_ref()
    }

    pub(super) fn options(&self) -> &NatsOptions {
        &self.options
    }

    /// Connects to one server, at each of its addresses until one accepts. Each attempt may take
    /// as long as the options allow.
    pub(super) async fn dial(&self, server: &ServerAddress) -> Result<Established, ConnectError> {
        let limit = self.options.connect_timeout;
        let late = |_| ConnectError::new(ConnectErrorKind::TimedOut);
        let resolving = tokio::net::lookup_host((server.host.as_str(), server.port));
        let addresses = tokio::time::timeout(limit, resolving).await.map_err(late)?;
        let addresses =
            addresses.map_err(|error| ConnectError::with_source(ConnectErrorKind::Dns, error))?;
        let mut last = None;
        for address in addresses {
            let attempt = async {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                self.shake_hands(stream, server).await
            };
            match tokio::time::timeout(limit, attempt).await.map_err(late) {
                Ok(Ok(established)) => return Ok(established),
                Ok(Err(error)) | Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            ConnectError::with_source(ConnectErrorKind::Dns, "the name has no address")
        }))
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        server: &ServerAddress,
    ) -> Result<Established, ConnectError> {
        let mut decoder = Decoder::new();
        let mut socket = Socket::Plain(stream);
        if self.options.tls.first {
            socket = self.secure(socket, server).await?;
        }
        let Frame::Info(json) = frame(&mut socket, &mut decoder).await? else {
            return Err(broken("the server does not begin with INFO"));
        };
        let mut info = ServerInfo::parse(&json).map_err(broken)?;
        let required = self.options.tls.required || server.secure;
        if !socket.is_secure() && (required || info.tls_required) {
            if !decoder.is_empty() {
                // Somebody between could have put it there, before anything was secure.
                return Err(broken("the server sent more than INFO before TLS"));
            }
            socket = self.secure(socket, server).await?;
        }
        let connect = self.connect(&info, socket.is_secure()).await?;
        socket.write_all(&connect).await?;
        socket.flush().await?;
        loop {
            match frame(&mut socket, &mut decoder).await? {
                Frame::Pong => break,
                Frame::Ok => {}
                Frame::Ping => {
                    socket.write_all(b"PONG\r\n").await?;
                    socket.flush().await?;
                }
                Frame::Info(json) => info = ServerInfo::parse(&json).map_err(broken)?,
                Frame::Error(text) => return Err(refused(&text)),
                Frame::Message(..) => return Err(broken("the server sent a message too early")),
            }
        }
        decoder.learn_max_payload(info.max_payload);
        Ok(Established {
            socket,
            decoder,
            info,
        })
    }

    async fn secure(&self, socket: Socket, server: &ServerAddress) -> Result<Socket, ConnectError> {
        let Socket::Plain(stream) = socket else {
            return Ok(socket);
        };
        let name = ServerName::try_from(server.host.clone())
            .map_err(|error| ConnectError::with_source(ConnectErrorKind::Tls, error))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await?;
        Ok(Socket::Secure(Box::new(stream)))
    }

    /// `CONNECT` and `PING`, whose answer says that the server accepts us.
    async fn connect(&self, info: &ServerInfo, secure: bool) -> Result<Vec<u8>, ConnectError> {
        let failed = |error: async_nats::Error| {
            ConnectError::with_source(ConnectErrorKind::Authentication, error)
        };
        let auth = match &self.auth {
            None => async_nats::Auth::new(),
            Some(auth) => auth
                .answer(info.nonce.as_bytes())
                .await
                .map_err(|error| failed(async_nats::AuthError::new(error).into()))?,
        };
        let name = match &self.options.name {
            Some(name) => format!("{name}-{SUFFIX}"),
            None => NAME.to_owned(),
        };
        let connect = Connect {
            verbose: false,
            pedantic: false,
            tls_required: secure,
            name: &name,
            lang: "rust",
            version: env!("CARGO_PKG_VERSION"),
            protocol: 1,
            echo: true,
            headers: true,
            no_responders: true,
            user: auth.username,
            pass: auth.password,
            auth_token: auth.token,
            jwt: auth.jwt,
            nkey: auth.nkey,
            sig: auth.signature.map(|signed| URL_SAFE_NO_PAD.encode(signed)),
        };
        let mut bytes = b"CONNECT ".to_vec();
        serde_json::to_writer(&mut bytes, &connect).map_err(|error| failed(error.into()))?;
        bytes.extend_from_slice(b"\r\nPING\r\n");
        Ok(bytes)
    }
}

/// The next frame.
async fn frame(socket: &mut Socket, decoder: &mut Decoder) -> Result<Frame, ConnectError> {
    loop {
        if let Some(frame) = decoder.next().map_err(broken)? {
            return Ok(frame);
        }
        if socket.read_buf(decoder.room()).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// The server does not speak the protocol.
fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectError {
    ConnectError::with_source(ConnectErrorKind::Io, why)
}

/// The server has said why it does not accept us.
fn refused(text: &[u8]) -> ConnectError {
    let text = String::from_utf8_lossy(text);
    if text.eq_ignore_ascii_case("Authorization Violation") {
        let error = ServerError::AuthorizationViolation;
        return ConnectError::with_source(ConnectErrorKind::AuthorizationViolation, error);
    }
    let error = ServerError::Other(text.into_owned());
    ConnectError::with_source(ConnectErrorKind::Io, error)
}

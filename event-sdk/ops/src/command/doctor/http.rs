//! A GET request to a monitoring endpoint: plain HTTP, with a limit of time and size, and tolerant of
//! what answers.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest time of one request.
const LIMIT: Duration = Duration::from_secs(5);

/// The largest answer: `jsz` of a server with thousands of consumers has some megabytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Where the endpoints are.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// Host and port, with brackets around an IPv6 address.
    authority: String,
    /// The path before the name of an endpoint, without a slash at its end.
    path: String,
}

/// Why there is no answer. No text has the URL, which may have a password in a wrong place.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("the URL is none: {0}")]
    Url(&'static str),
    #[error("no connection to {0}")]
    Unreachable(String, #[source] std::io::Error),
    #[error("no answer within {LIMIT:?}")]
    Late,
    #[error("the answer is not HTTP")]
    NotHttp(#[source] hyper::Error),
    #[error("the answer is larger than {} MiB", MOST_BYTES >> 20)]
    TooLarge,
    #[error("the answer breaks off")]
    BrokenOff,
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
}

impl HttpError {
    /// Whether nothing answered at all.
    pub(super) const fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable(..) | Self::Late | Self::Url(_))
    }

    /// Whether a server that answers has too much to say, or too much to do.
    pub(super) const fn is_too_much(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Late)
    }
}

impl Endpoint {
    /// The endpoint of a URL: `http://host:8222`.
    pub(super) fn parse(url: &str) -> Result<Self, HttpError> {
        let uri: Uri = url
            .parse()
            .map_err(|_| HttpError::Url("write `http://host:8222`"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                let advice = "https is not supported; use the `http` port of the server from its own machine, or a tunnel";
                return Err(HttpError::Url(advice));
            }
            _ => return Err(HttpError::Url("write `http://host:8222`")),
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(HttpError::Url(
                "it has a login, which monitoring does not take",
            ));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(HttpError::Url("it has no host"));
        }
        let port = uri.port_u16().unwrap_or(8222);
        let host = uri.host().unwrap_or_default();
        Ok(Self {
            authority: format!("{host}:{port}"),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Host and port.
    pub(super) fn name(&self) -> &str {
        &self.authority
    }

    /// The JSON at `path`, which may have a query; with `any_status`, also that of an error.
    ///
    /// Cancel-safe: it changes nothing.
    pub(super) async fn get(&self, path: &str, any_status: bool) -> Result<Value, HttpError> {
        let answer = timeout(LIMIT, self.request(path, any_status)).await;
        answer.map_err(|_| HttpError::Late)?
    }

    async fn request(&self, path: &str, any_status: bool) -> Result<Value, HttpError> {
        let unreachable = |why| HttpError::Unreachable(self.authority.clone(), why);
        let stream = TcpStream::connect(&self.authority).await;
        let stream = TokioIo::new(stream.map_err(unreachable)?);
        let (mut sender, connection) =
            http1::handshake(stream).await.map_err(HttpError::NotHttp)?;
        let request = Request::get(format!("{}/{path}", self.path))
            .header(HOST, &self.authority)
            .header(ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|_| HttpError::Url("its path cannot be sent"))?;
        let answer = async {
            let answer = sender.send_request(request).await;
            let answer = answer.map_err(HttpError::NotHttp)?;
            let status = answer.status();
            if !status.is_success() && !any_status {
                return Err(HttpError::Status(status));
            }
            let body = Limited::new(answer.into_body(), MOST_BYTES);
            let body = body.collect().await.map_err(|why| {
                if why.is::<LengthLimitError>() {
                    HttpError::TooLarge
                } else {
                    HttpError::BrokenOff
                }
            })?;
            serde_json::from_slice(&body.to_bytes()).map_err(HttpError::NotJson)
        };
        // The connection has to be driven; it ends when the answer is there.
        let mut answer = std::pin::pin!(answer);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            answer = &mut answer => return answer,
            ended = &mut connection => ended.map_err(HttpError::NotHttp)?,
        }
        answer.await
    }
}

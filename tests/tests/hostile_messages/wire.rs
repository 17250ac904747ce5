//! `Wire`: publishes bytes as no client library would, and hears from the stream whether they
//! are stored.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that is written by hand.
pub(crate) struct Wire {
    socket: BufReader<TcpStream>,
    sent: u64,
}

/// A message, byte for byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawMessage {
    pub(crate) subject: Vec<u8>,
    /// The block of headers; `None` publishes without one.
    pub(crate) headers: Option<Vec<u8>>,
    /// How long the block is said to be, if that is not its length.
    pub(crate) block: Option<usize>,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// Connects to the first server of an URL.
    pub(crate) async fn connect(url: &str) -> Self {
        let first = url.split(',').next().unwrap_or_default();
        let address = first.trim_start_matches("nats://");
        let socket = TcpStream::connect(address).await.expect("it connects");
        let mut wire = Self {
            socket: BufReader::new(socket),
            sent: 0,
        };
        let hello = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB _INBOX.hostile.* 1\r\n";
        wire.write(hello.as_bytes()).await.expect("it is connected");
        wire
    }

    /// Publishes, and returns the sequence under which the stream has stored it.
    ///
    /// # Errors
    ///
    /// What the server says instead.
    pub(crate) async fn store(&mut self, message: &RawMessage) -> Result<u64, String> {
        self.sent += 1;
        let reply = format!("_INBOX.hostile.{}", self.sent);
        let size = message.body.len();
        let mut bytes = match &message.headers {
            None => b"PUB ".to_vec(),
            Some(_) => b"HPUB ".to_vec(),
        };
        bytes.extend_from_slice(&message.subject);
        let numbers = match &message.headers {
            None => format!(" {reply} {size}\r\n"),
            Some(headers) => {
                let block = message.block.unwrap_or(headers.len());
                format!(" {reply} {block} {}\r\n", headers.len() + size)
            }
        };
        bytes.extend_from_slice(numbers.as_bytes());
        bytes.extend(message.headers.iter().flatten());
        bytes.extend_from_slice(&message.body);
        bytes.extend_from_slice(b"\r\n");
        self.write(&bytes).await?;
        let answer = timeout(PATIENCE, self.answer(&reply)).await;
        let answer = answer.map_err(|_| "no answer".to_owned())??;
        match answer["seq"].as_u64() {
            Some(sequence) if answer.get("error").is_none() => Ok(sequence),
            _ => Err(answer.to_string()),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.socket.get_mut().write_all(bytes).await;
        written.map_err(|error| error.to_string())
    }

    async fn answer(&mut self, reply: &str) -> Result<Value, String> {
        loop {
            let mut line = String::new();
            let read = self.socket.read_line(&mut line).await;
            if read.map_err(|error| error.to_string())? == 0 {
                return Err("the server hung up".to_owned());
            }
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match *words.as_slice() {
                ["PING"] => self.write(b"PONG\r\n").await?,
                ["-ERR", ..] => return Err(line),
                ["MSG", subject, _, size] => {
                    let size: usize = size.parse().map_err(|_| line.clone())?;
                    let mut body = vec![0; size + 2];
                    let read = self.socket.read_exact(&mut body).await;
                    read.map_err(|error| error.to_string())?;
                    if subject == reply {
                        return serde_json::from_slice(&body[..size])
                            .map_err(|error| error.to_string());
                    }
                }
                ["HMSG", ..] => return Err("no stream stores it".to_owned()),
                _ => {}
            }
        }
    }
}

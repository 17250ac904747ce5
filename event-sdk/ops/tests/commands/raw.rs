//! `Raw`: a client of the protocol of NATS.

use event_sdk_test_servers::Server;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A client of the protocol, for what ours refuses to send.
pub(crate) struct Raw(BufReader<TcpStream>);

impl Raw {
    pub(crate) async fn connect(server: &Server) -> Self {
        let address = server.url().replace("nats://", "");
        let stream = TcpStream::connect(address).await.unwrap();
        let mut raw = Self(BufReader::new(stream));
        assert!(raw.line().await.starts_with("INFO"));
        let connect = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB answers 1\r\n";
        raw.0.write_all(connect.as_bytes()).await.unwrap();
        raw
    }

    /// Sends a request, whose answer must be no error.
    pub(crate) async fn ask(&mut self, subject: &str, body: &str) {
        let request = format!("PUB {subject} answers {}\r\n{body}\r\n", body.len());
        self.0.write_all(request.as_bytes()).await.unwrap();
        while !self.line().await.starts_with("MSG") {}
        let answer = self.line().await;
        assert!(!answer.contains("\"error\""), "{subject:?}: {answer}");
    }

    /// Subscribes to a subject, and reads nothing of it.
    pub(crate) async fn subscribe(&mut self, subject: &str) {
        let request = format!("SUB {subject} 2\r\nPING\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(self.line().await, "PONG\r\n");
    }

    /// Publishes on core NATS, without an answer.
    pub(crate) async fn publish(&mut self, subject: &str, body: &str) {
        let request = format!("PUB {subject} {}\r\n{body}\r\n", body.len());
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }
}

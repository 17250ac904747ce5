//! Requests to the server's monitoring port.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A paused server accepts connections and never answers.
const WITHIN: Duration = Duration::from_secs(10);

/// The answer of `path`, such as `/varz`.
///
/// HTTP 1.0, so that the answer comes in one piece and the connection ends after it.
pub(crate) async fn get(port: u16, path: &str) -> io::Result<Value> {
    let exchange = async {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answer = match timeout(WITHIN, exchange).await {
        Ok(answer) => answer?,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    body(&String::from_utf8_lossy(&answer)).map_err(io::Error::other)
}

/// The JSON of an answer with status 200; else what the server says.
fn body(answer: &str) -> Result<Value, String> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("{status}: {}", body.trim()));
    }
    serde_json::from_str(body).map_err(|error| format!("no JSON ({error}): {body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_has_a_body() {
        let good = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"ok\"}";
        assert_eq!(body(good).unwrap()["status"], "ok");
        let bad = "HTTP/1.0 503 Service Unavailable\r\n\r\n{\"status\":\"unavailable\"}";
        assert!(body(bad).unwrap_err().contains("unavailable"));
        assert!(body("").is_err());
        assert!(body("HTTP/1.0 200 OK\r\n\r\n{").is_err());
    }
}

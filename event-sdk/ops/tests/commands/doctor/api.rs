//! Calls of the JetStream API as other programs make them, over a plain connection.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Makes a call (`STREAM.CREATE.EVENTS`) of a user, and returns the answer, which has no error.
pub(crate) async fn call(server: &str, user: &str, call: &str, request: &Value) -> Value {
    let address = server.split(['/', '@']).next_back().unwrap();
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let login = json!({ "verbose": false, "user": user, "pass": "sesame" });
    let body = request.to_string();
    let commands = format!(
        "CONNECT {login}\r\nSUB _INBOX.test 1\r\nPUB $JS.API.{call} _INBOX.test {}\r\n{body}\r\n",
        body.len()
    );
    stream.write_all(commands.as_bytes()).await.unwrap();
    loop {
        let mut line = String::new();
        let read = stream.read_line(&mut line).await.unwrap();
        assert!(read > 0 && !line.starts_with("-ERR"), "{call}: {line}");
        if !line.starts_with("MSG") {
            continue;
        }
        let size: usize = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        let mut answer = vec![0; size];
        stream.read_exact(&mut answer).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer.get("error").is_none(), "{call}: {answer:#}");
        return answer;
    }
}

//! HTTP, as little of it as the webhook needs: a client, and an address that takes alarms.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::webhook::Post;

/// Posts to an address.
pub(crate) struct Http(pub(crate) SocketAddr);

impl Post for Http {
    fn post(&self, body: &[u8]) -> io::Result<u16> {
        let mut stream = TcpStream::connect_timeout(&self.0, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}",
            self.0
        );
        stream.write_all(&[head.as_bytes(), b"\r\n\r\n", body].concat())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
        status.ok_or_else(|| io::Error::other("no status line"))
    }
}

/// Starts an address that takes alarms: it is busy at each fifth request, and does not want the
/// service `legacy`.
pub(crate) fn sink() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (number, stream) in (1_u32..).zip(listener.incoming()) {
            // A client that has gone away posts again.
            let _ = stream.and_then(|stream| answer(stream, number));
        }
    });
    Ok(address)
}

fn answer(stream: TcpStream, number: u32) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(text) = line.strip_prefix("Content-Length: ") {
            length = text.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = String::new();
    reader.by_ref().take(length).read_to_string(&mut body)?;
    let status = match number {
        _ if body.contains(r#""service":"legacy""#) => "422 Unprocessable Content",
        _ if number.is_multiple_of(5) => "503 Service Unavailable",
        _ => "204 No Content",
    };
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes())
}

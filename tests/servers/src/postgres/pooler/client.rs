//! Serves a client of the pooler: passes each of its transactions to a connection of its own.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::super::wire::{Message, Reader, Status};
use super::upstream::{Greeting, Upstream, Upstreams};

/// Serves it until it ends. An error of one of the two connections ends both, as it would without
/// the pooler.
pub(super) async fn serve(stream: TcpStream, upstreams: Arc<Upstreams>) {
    let _ = try_serve(stream, &upstreams).await;
}

async fn try_serve(stream: TcpStream, upstreams: &Arc<Upstreams>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let mut client = Client {
        reader: Reader::new(reader),
        writer,
    };
    let Some(startup) = client.startup().await? else {
        return Ok(());
    };
    let _registered = upstreams.register(&startup);
    let mut last = match upstreams.open(&startup).await? {
        Greeting::Accepted(upstream, greeting) => {
            let number = upstreams.put_back(upstream);
            client.write(&greeting).await?;
            number
        }
        Greeting::Refused(refusal) => return client.write(&refusal).await,
    };
    while let Some(first) = client.reader.message().await? {
        if first.tag() == TERMINATE {
            break;
        }
        let upstream = upstreams.other_than(last, &startup).await?;
        match client.transaction(first, upstream).await? {
            Some(upstream) => {
                upstreams.count_transaction();
                last = upstreams.put_back(upstream);
            }
            None => break,
        }
    }
    Ok(())
}

const TERMINATE: u8 = b'X';

struct Client {
    reader: Reader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Client {
    /// The message that begins the session; `None` if the client wants something else.
    async fn startup(&mut self) -> io::Result<Option<Vec<u8>>> {
        // The numbers of requests for encryption by TLS and by GSSAPI, and of a cancellation.
        const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];
        const CANCELLATION: u32 = 80_877_102;
        while let Some(message) = self.reader.untagged().await? {
            let number = message[4..].first_chunk().copied().map(u32::from_be_bytes);
            match number {
                Some(number) if ENCRYPTION.contains(&number) => self.writer.write_all(b"N").await?,
                Some(CANCELLATION) => return Ok(None),
                _ => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    /// Passes on what both sides say until the transaction has ended. Returns the connection, or
    /// none if the client has gone: what it has not committed is rolled back then.
    async fn transaction(
        &mut self,
        first: Message,
        mut upstream: Upstream,
    ) -> io::Result<Option<Upstream>> {
        let mut asked = Asked::default();
        asked.ask(&first);
        upstream.writer.write_all(first.bytes()).await?;
        loop {
            tokio::select! {
                message = self.reader.message() => match message? {
                    Some(message) if message.tag() != TERMINATE => {
                        asked.ask(&message);
                        upstream.writer.write_all(message.bytes()).await?;
                    }
                    _ => return Ok(None),
                },
                message = upstream.reader.message() => {
                    let message = message?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    let ended = asked.answer(&message);
                    self.writer.write_all(message.bytes()).await?;
                    if ended {
                        return Ok(Some(upstream));
                    }
                }
            }
        }
    }

    async fn write(&mut self, messages: &[Message]) -> io::Result<()> {
        for message in messages {
            self.writer.write_all(message.bytes()).await?;
        }
        Ok(())
    }
}

/// What a client waits for. It may send commands without waiting for the answers to earlier ones.
#[derive(Default)]
struct Asked {
    /// Commands whose end the server has not said.
    commands: u32,
    /// Whether parts of a further command were sent, without its end.
    begun: bool,
}

impl Asked {
    fn ask(&mut self, message: &Message) {
        // Query, sync and function call: after these, the server says that it is ready.
        match message.tag() {
            b'Q' | b'S' | b'F' => {
                self.commands += 1;
                self.begun = false;
            }
            // Rows that are copied to the server belong to the command that copies.
            b'd' | b'c' | b'f' => {}
            _ => self.begun = true,
        }
    }

    /// Whether this message of the server ends the transaction, and nothing more was sent.
    fn answer(&mut self, message: &Message) -> bool {
        let Some(status) = message.ready() else {
            return false;
        };
        self.commands = self.commands.saturating_sub(1);
        status == Status::Idle && self.commands == 0 && !self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(asked: &mut Asked, tags: &[u8]) {
        for tag in tags {
            asked.ask(&Message::new(*tag, b""));
        }
    }

    fn ready(asked: &mut Asked, status: &[u8]) -> bool {
        asked.answer(&Message::new(b'Z', status))
    }

    #[test]
    fn a_transaction_ends_when_the_server_is_ready_and_idle() {
        let mut asked = Asked::default();
        ask(&mut asked, b"Q");
        assert!(!asked.answer(&Message::new(b'C', b"BEGIN\0")));
        assert!(!ready(&mut asked, b"T"));
        ask(&mut asked, b"PBES");
        assert!(!ready(&mut asked, b"E"));
        ask(&mut asked, b"Q");
        assert!(ready(&mut asked, b"I"));
    }

    #[test]
    fn it_does_not_end_while_something_more_was_sent() {
        let mut asked = Asked::default();
        ask(&mut asked, b"QPBES");
        assert!(!ready(&mut asked, b"I"));
        ask(&mut asked, b"P");
        assert!(!ready(&mut asked, b"I"));
        ask(&mut asked, b"S");
        assert!(ready(&mut asked, b"I"));
    }

    #[test]
    fn rows_that_are_copied_belong_to_their_command() {
        let mut asked = Asked::default();
        ask(&mut asked, b"Qddc");
        assert!(ready(&mut asked, b"I"));
    }
}

//! Messages of PostgreSQL's protocol, version 3: framing, and those that a session needs.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A message of either side after the first: a tag, a length, and the body.
#[derive(Debug)]
pub(super) struct Message {
    /// As it came, with tag and length.
    bytes: Vec<u8>,
}

/// Its length, in bytes, counts itself and not the tag.
const TAG: usize = 1;
const LENGTH: usize = 4;

/// More than any message of a test.
const LONGEST: usize = 256 << 20;

impl Message {
    pub(super) fn new(tag: u8, body: &[u8]) -> Self {
        let mut bytes = vec![tag];
        bytes.extend(counted(body));
        Self { bytes }
    }

    pub(super) fn tag(&self) -> u8 {
        self.bytes[0]
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[TAG + LENGTH..]
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The state of the transaction, if this says that the server waits for a command.
    pub(super) fn ready(&self) -> Option<Status> {
        match (self.tag(), self.body()) {
            (b'Z', b"I") => Some(Status::Idle),
            (b'Z', _) => Some(Status::InTransaction),
            _ => None,
        }
    }
}

/// The state of a session between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Idle,
    /// Also in one that has failed.
    InTransaction,
}

/// A body, with the length before it that the protocol has.
pub(super) fn counted(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + LENGTH).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

/// The first message of a client, which has no tag.
pub(super) fn startup(user: &str, database: &str) -> Vec<u8> {
    const VERSION_3: u32 = 3 << 16;
    let mut body = VERSION_3.to_be_bytes().to_vec();
    for text in ["user", user, "database", database] {
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    counted(&body)
}

/// Splits what comes over a connection into messages.
#[derive(Debug)]
pub(super) struct Reader<R> {
    from: R,
    /// Bytes of messages that have not come as a whole.
    bytes: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            bytes: Vec::new(),
        }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.from
    }

    /// The next message; `None` at the end of the connection. Cancel-safe.
    pub(super) async fn message(&mut self) -> io::Result<Option<Message>> {
        let bytes = self.counted(TAG).await?;
        Ok(bytes.map(|bytes| Message { bytes }))
    }

    /// The first message of a client, with its length. Cancel-safe.
    pub(super) async fn untagged(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.counted(0).await
    }

    /// Whether nothing has come that was not returned.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    async fn counted(&mut self, before: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(length) = self.bytes[..].get(before..before + LENGTH) {
                let length = length.try_into().map_or(0, u32::from_be_bytes) as usize;
                if !(LENGTH..=LONGEST).contains(&length) {
                    let text = format!("a message announces a length of {length} bytes");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
                let end = before + length;
                if self.bytes.len() >= end {
                    let rest = self.bytes.split_off(end);
                    return Ok(Some(std::mem::replace(&mut self.bytes, rest)));
                }
            }
            if self.from.read_buf(&mut self.bytes).await? == 0 {
                return match self.bytes.len() {
                    0 => Ok(None),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_split_wherever_they_are_cut() {
        let sent = [Message::new(b'Q', b"select 1\0"), Message::new(b'Z', b"I")];
        let bytes: Vec<u8> = sent
            .iter()
            .flat_map(|message| message.bytes().to_vec())
            .collect();
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut reader = Reader::new(first.chain(second));
            for message in &sent {
                let read = reader.message().await.unwrap().unwrap();
                assert_eq!((read.tag(), read.body()), (message.tag(), message.body()));
            }
            assert!(reader.is_empty());
            assert!(reader.message().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn a_message_that_ends_too_early_or_is_too_long_is_an_error() {
        let early = Reader::new(&b"Z\0\0\0\x05"[..]).message().await;
        assert_eq!(early.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        for length in ["\0\0\0\x03", "\x7f\0\0\0"] {
            let bytes = format!("Z{length}");
            let long = Reader::new(bytes.as_bytes()).message().await;
            assert_eq!(long.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn the_state_of_a_transaction_is_read() {
        assert_eq!(Message::new(b'Z', b"I").ready(), Some(Status::Idle));
        assert_eq!(
            Message::new(b'Z', b"E").ready(),
            Some(Status::InTransaction)
        );
        assert_eq!(Message::new(b'C', b"I").ready(), None);
    }
}

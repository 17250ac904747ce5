//! `Session`: a small client that runs SQL as text, for what a test prepares and counts.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::USER;
use super::wire::{self, Message, Reader};

/// A session with a server or a pooler. It ends when dropped; what it has not committed is rolled
/// back.
#[derive(Debug)]
pub struct Session {
    reader: Reader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// A row of a result: the text of each column, `None` for null.
pub type Row = Vec<Option<String>>;

/// Why a session cannot be opened, or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The connection failed.
    #[error("the connection to PostgreSQL failed")]
    Connection(#[from] io::Error),
    /// The server has refused it.
    #[error("PostgreSQL refused it: {0}")]
    Refused(Refusal),
}

/// An error of the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Refusal {
    code: String,
    message: String,
}

impl Refusal {
    /// The five characters of its `SQLSTATE`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl SessionError {
    /// The `SQLSTATE` of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(refusal.code()),
            Self::Connection(_) => None,
        }
    }
}

impl Session {
    /// Opens a session on a port of 127.0.0.1, of a server or of a pooler.
    ///
    /// # Errors
    ///
    /// If nothing listens there, or the server refuses it.
    pub async fn open(port: u16, database: &str) -> Result<Self, SessionError> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let mut session = Self {
            reader: Reader::new(reader),
            writer,
        };
        let startup = wire::startup(USER, database);
        session.writer.write_all(&startup).await?;
        session.rows().await?;
        Ok(session)
    }

    /// Runs statements, which `;` separates, and returns their rows.
    ///
    /// Not cancel-safe: the session cannot be used any more.
    ///
    /// # Errors
    ///
    /// If one of the statements fails, or the connection does.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>, SessionError> {
        let text = [sql.as_bytes(), b"\0"].concat();
        let message = Message::new(b'Q', &text);
        self.writer.write_all(message.bytes()).await?;
        self.rows().await
    }

    /// The value of the only row and column of a statement, such as a count.
    ///
    /// Not cancel-safe, as [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query), and if the result is not one text.
    pub async fn value(&mut self, sql: &str) -> Result<String, SessionError> {
        let mut rows = self.query(sql).await?;
        match (rows.len(), rows.pop().as_deref_mut()) {
            (1, Some([value])) if value.is_some() => Ok(value.take().unwrap_or_default()),
            (count, _) => {
                let text = format!("`{sql}` gave {count} rows, or not one value in the last");
                Err(io::Error::other(text).into())
            }
        }
    }

    /// Reads up to the message that the server waits for a command.
    async fn rows(&mut self) -> Result<Vec<Row>, SessionError> {
        let mut rows = Vec::new();
        let mut refused = None;
        loop {
            let Some(message) = self.reader.message().await? else {
                let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(refused.map_or(SessionError::Connection(ended), SessionError::Refused));
            };
            match message.tag() {
                b'D' => rows.push(row(message.body())?),
                b'E' => refused = refused.or(Some(refusal(message.body()))),
                b'Z' => return refused.map_or(Ok(rows), |error| Err(SessionError::Refused(error))),
                b'R' if message.body() != [0; 4] => {
                    return Err(io::Error::other("the server asks for a password").into());
                }
                _ => {}
            }
        }
    }
}

/// A count of columns, and for each its length, -1 for null, and its text.
fn row(body: &[u8]) -> io::Result<Row> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "a row is cut off");
    let (_count, mut rest) = body.split_at_checked(2).ok_or_else(broken)?;
    let mut row = Row::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = i32::from_be_bytes(*length);
        let (text, after) = match usize::try_from(length) {
            Ok(length) => after
                .split_at_checked(length)
                .map(|(text, after)| (Some(text), after))
                .ok_or_else(broken)?,
            Err(_) => (None, after),
        };
        row.push(text.map(|text| String::from_utf8_lossy(text).into_owned()));
        rest = after;
    }
    Ok(row)
}

/// Fields of a letter and a text.
fn refusal(body: &[u8]) -> Refusal {
    let field = |letter: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        let text = fields.find_map(|field| field.strip_prefix(&[letter]));
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    };
    Refusal {
        code: field(b'C'),
        message: field(b'M'),
    }
}

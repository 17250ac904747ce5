//! `Arguments`: what the program is told: role, addresses, form, the step at which it stands.

use std::fmt;
use std::str::FromStr;

use super::steps::Step;

/// What a process of the service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Writes orders and their events.
    Write,
    /// Publishes the events.
    Relay,
    /// Writes bills.
    Handle,
}

/// Where dead letters are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LettersIn {
    /// In a table of the database: the record and the letter are one transaction.
    Table,
    /// In a stream: the record is committed before the letter is stored.
    Stream,
}

/// The form of the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Where dead letters are kept.
    pub letters: LettersIn,
    /// Whether effects are written in batches.
    pub batches: bool,
}

/// The arguments of the program, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// What the process does.
    pub role: Role,
    /// The address of the NATS server.
    pub server: String,
    /// The URL of the database: `sqlite:<path>` or `postgres:…`.
    pub database: String,
    /// The number of the process.
    pub process: i64,
    /// The form of the consumer.
    pub form: Form,
    /// The step at which the process stands, and how often it has come there then.
    pub stop_at: Option<(Step, u32)>,
}

impl Arguments {
    /// The words of the command line.
    #[must_use]
    pub fn to_words(&self) -> Vec<String> {
        let mut words = vec![
            self.role.to_string(),
            self.server.clone(),
            self.database.clone(),
            self.process.to_string(),
            self.form.to_string(),
        ];
        if let Some((step, time)) = self.stop_at {
            words.extend([step.to_string(), time.to_string()]);
        }
        words
    }

    /// Reads the words of the command line.
    ///
    /// # Errors
    ///
    /// Names the words if they are too few, or one of them is unknown.
    pub fn from_words(words: &[String]) -> Result<Self, String> {
        let unknown = || format!("unknown arguments: {words:?}");
        let [role, server, database, process, form, rest @ ..] = words else {
            return Err(unknown());
        };
        let stop_at = match rest {
            [] => None,
            [step, time] => Some((step.parse()?, time.parse().map_err(|_| unknown())?)),
            _ => return Err(unknown()),
        };
        Ok(Self {
            role: role.parse()?,
            server: server.clone(),
            database: database.clone(),
            process: process.parse().map_err(|_| unknown())?,
            form: form.parse()?,
            stop_at,
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "write",
            Self::Relay => "relay",
            Self::Handle => "handle",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Write, Self::Relay, Self::Handle];
        let found = all.into_iter().find(|role| role.to_string() == text);
        found.ok_or_else(|| format!("unknown role: {text}"))
    }
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [
        Self::new(LettersIn::Table, false),
        Self::new(LettersIn::Stream, true),
        Self::new(LettersIn::Table, true),
        Self::new(LettersIn::Stream, false),
    ];

    const fn new(letters: LettersIn, batches: bool) -> Self {
        Self { letters, batches }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = match self.letters {
            LettersIn::Table => "table",
            LettersIn::Stream => "stream",
        };
        let batches = if self.batches { "-batches" } else { "" };
        write!(f, "{letters}{batches}")
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|form| form.to_string() == text);
        found.ok_or_else(|| format!("unknown form: {text}"))
    }
}

//! `Role` and `Form`: what a process of the service does, and the form of its consumer.

use std::fmt;
use std::str::FromStr;

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

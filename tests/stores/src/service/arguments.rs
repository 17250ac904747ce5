//! `Arguments`: what the program is told: role, addresses, form, the step at which it stands.

use super::form::{Form, Role};
use super::steps::Step;

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

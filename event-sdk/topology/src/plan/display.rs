//! How a plan is shown to people.

use std::fmt;

use super::{Action, Item, Overlap, Plan, Planned, Refusal};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{part}")?;
        }
        write!(f, "{}", self.reservations)?;
        for warning in &self.warnings {
            write!(f, "\nwarning   {warning}")?;
        }
        for unchecked in &self.unchecked {
            write!(f, "\nunchecked {unchecked}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = &self.item;
        match &self.action {
            Action::Create => write!(f, "create    {item}"),
            Action::Keep => write!(f, "unchanged {item}"),
            Action::Change(differences) => {
                let list: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(f, "change    {item}: {}", list.join("; "))?;
                if self.losses.is_empty() {
                    return Ok(());
                }
                let losses: Vec<_> = self.losses.iter().map(|loss| loss.field).collect();
                write!(
                    f,
                    "\n    can delete stored events as soon as it is applied: {}",
                    losses.join(", ")
                )
            }
            Action::Refuse(refusal) => write!(f, "refused   {item}: {refusal}"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name) => write!(f, "stream {name}"),
            Self::Bucket(name) => write!(f, "bucket {name}"),
            Self::Durable { stream, durable } => write!(f, "consumer {durable} of {stream}"),
        }
    }
}

/// The reason, and one line for each step.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "\n    {}. {step}", index + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name comes from the server.
        let name = self.stream.escape_debug();
        let subjects: Vec<_> = self
            .subjects
            .iter()
            .map(event_sdk::Pattern::as_str)
            .collect();
        match subjects[..] {
            [] => write!(f, "stream {name}"),
            _ => write!(f, "stream {name} ({})", subjects.join(", ")),
        }
    }
}

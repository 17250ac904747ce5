//! `Grants`: the permissions of one user, each subject once, with all its purposes.

use event_sdk::Pattern;
use event_sdk::subject::grammar::{check_pattern, covers};
use event_sdk::transport::Error;

use super::lines::Line;
use super::{Permission, invalid};

/// The values of the placeholders in lines.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Names<'a> {
    pub(super) stream: &'a str,
    pub(super) durable: &'a str,
    pub(super) filter: &'a str,
    pub(super) consumer: &'a str,
    pub(super) bucket: &'a str,
    pub(super) kv: &'a str,
    pub(super) dlq: &'a str,
    pub(super) retry: &'a str,
    pub(super) under: &'a str,
}

#[derive(Debug, Default)]
pub(super) struct Grants {
    pub(super) publish: Vec<Permission>,
    pub(super) subscribe: Vec<Permission>,
}

impl Grants {
    pub(super) fn publish(&mut self, lines: &[Line], names: &Names<'_>) {
        for line in lines {
            add(
                &mut self.publish,
                names.expand(line.subject),
                names.expand(line.purpose),
            );
        }
    }

    pub(super) fn subscribe(&mut self, lines: &[Line], names: &Names<'_>) {
        for line in lines {
            add(
                &mut self.subscribe,
                names.expand(line.subject),
                names.expand(line.purpose),
            );
        }
    }

    pub(super) fn publish_to(&mut self, subject: &Pattern, purpose: String) {
        add(&mut self.publish, subject.as_str().to_owned(), purpose);
    }

    /// Drops what other permissions contain.
    ///
    /// # Errors
    ///
    /// If a name makes a subject malformed.
    pub(super) fn reduced(mut self) -> Result<Self, Error> {
        for list in [&mut self.publish, &mut self.subscribe] {
            let subjects: Vec<_> = list.iter().map(|one| one.subject.clone()).collect();
            for subject in &subjects {
                // The subjects of the server begin with `$`, which those of events do not.
                let checked = check_pattern(subject.strip_prefix('$').unwrap_or(subject));
                checked.map_err(|why| invalid(format!("the subject `{subject}`: {why}")))?;
            }
            list.retain(|one| {
                let mut others = subjects.iter().filter(|it| **it != one.subject);
                !others.any(|other| covers(other, &one.subject))
            });
        }
        Ok(self)
    }
}

fn add(to: &mut Vec<Permission>, subject: String, purpose: String) {
    match to.iter_mut().find(|known| known.subject == subject) {
        Some(known) if known.purposes.contains(&purpose) => {}
        Some(known) => known.purposes.push(purpose),
        None => to.push(Permission {
            subject,
            purposes: vec![purpose],
        }),
    }
}

impl Names<'_> {
    fn expand(&self, text: &str) -> String {
        let values = [
            ("{stream}", self.stream),
            ("{durable}", self.durable),
            ("{filter}", self.filter),
            ("{consumer}", self.consumer),
            ("{bucket}", self.bucket),
            ("{kv}", self.kv),
            ("{dlq}", self.dlq),
            ("{retry}", self.retry),
            ("{under}", self.under),
        ];
        let mut text = text.to_owned();
        for (placeholder, value) in values {
            if text.contains(placeholder) {
                text = text.replace(placeholder, value);
            }
        }
        text
    }
}

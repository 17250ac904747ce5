//! Groups findings by cause: one change of a type, however many events have it.

use crate::compat::{Cause, Finding, Rule};

/// Findings with one cause, of which the first stands for all.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) first: &'a Finding,
    pub(super) more: Vec<&'a Finding>,
}

/// The findings by their causes, in the order in which these come up.
pub(super) fn of<'a>(findings: &[&'a Finding]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in findings {
        match groups
            .iter_mut()
            .find(|group| is_alike(group.first, finding))
        {
            Some(group) => group.more.push(finding),
            None => groups.push(Group {
                first: finding,
                more: Vec::new(),
            }),
        }
    }
    groups
}

fn is_alike(one: &Finding, other: &Finding) -> bool {
    if (one.rule, one.severity, one.title()) != (other.rule, other.severity, other.title()) {
        return false;
    }
    match (&one.cause, &other.cause) {
        (Some(one), Some(other)) => one == other,
        // What is said of events as a whole.
        (None, None) => {
            matches!(one.rule, Rule::Event(_)) && one.path.is_none() && other.path.is_none()
        }
        _ => false,
    }
}

impl Group<'_> {
    /// How many places it has, and what they have in common.
    pub(super) fn headline(&self) -> Option<String> {
        let count = self.more.len() + 1;
        if count == 1 {
            return None;
        }
        let title = self.first.title();
        Some(match &self.first.cause {
            Some(Cause { ty, field: None }) => format!("{title}: `{ty}`, {count} places"),
            Some(cause) => format!("{title}: `{cause}`, {count} places"),
            None => format!("{title}: {count} events"),
        })
    }

    /// The other places, each once: the event, and the field in it.
    pub(super) fn places(&self) -> Vec<String> {
        let mut places = Vec::new();
        for finding in &self.more {
            let event = finding.event.as_deref().unwrap_or("no event");
            let place = match &finding.path {
                Some(path) => format!("`{path}` of {event}"),
                None => event.to_owned(),
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// The services that consume one of the events.
    pub(super) fn consumers(&self) -> Vec<&str> {
        let all = [self.first].into_iter().chain(self.more.iter().copied());
        let mut names: Vec<&str> = all
            .flat_map(|finding| finding.consumers.iter().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

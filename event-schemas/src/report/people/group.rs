//! Groups findings by cause: one change of a type, however many events have it.

use crate::compat::{Cause, EventRule, Finding, Rule};

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

/// Both directions of a change have one cause, although each has a title of its own.
fn is_alike(one: &Finding, other: &Finding) -> bool {
    if (one.rule, one.severity) != (other.rule, other.severity) {
        return false;
    }
    match (&one.cause, &other.cause) {
        (Some(one), Some(other)) => one == other,
        _ if one.title() != other.title() => false,
        // What is said of events as a whole.
        (None, None) => {
            // Each consumer has its own type, and its own reason.
            matches!(one.rule, Rule::Event(rule) if rule != EventRule::ReceiverDiffers)
                && one.path.is_none()
                && other.path.is_none()
        }
        _ => false,
    }
}

fn place(finding: &Finding) -> String {
    let event = finding.event.as_deref().unwrap_or("no event");
    match &finding.path {
        Some(path) => format!("`{path}` of {event}"),
        None => event.to_owned(),
    }
}

impl<'a> Group<'a> {
    /// How many places it has, and what they have in common.
    pub(super) fn headline(&self) -> Option<String> {
        if self.more.is_empty() {
            return None;
        }
        let count = self.places().len() + 1;
        let title = self.first.title();
        if count == 1 {
            return None;
        }
        Some(match &self.first.cause {
            Some(Cause { ty, field: None }) => format!("{title}: `{ty}`, {count} places"),
            Some(cause) => format!("{title}: `{cause}`, {count} places"),
            None => format!("{title}: {count} events"),
        })
    }

    /// The other places, each once: the event, and the field in it.
    pub(super) fn places(&self) -> Vec<String> {
        let mut places = vec![place(self.first)];
        for finding in &self.more {
            let place = place(finding);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.split_off(1)
    }

    /// The finding of the same place in the other direction, if there is one: what is broken both
    /// ways.
    pub(super) fn other_way(&self) -> Option<&'a Finding> {
        let place = |finding: &'a Finding| {
            let versions = finding.versions?;
            let place = (&finding.event, &finding.path, versions.old, versions.new);
            Some((place, versions.direction?))
        };
        let (first, direction) = place(self.first)?;
        let mut others = self.more.iter().copied();
        others.find(|finding| {
            place(finding).is_some_and(|(other, way)| other == first && way != direction)
        })
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

#[cfg(test)]
mod tests {
    use event_schemas_subset::Rule as SchemaRule;

    use super::*;
    use crate::compat::{Direction, Versions};

    fn finding(event: &str, path: &str, old: u16, direction: Direction) -> Finding {
        let mut finding = Finding::new(SchemaRule::TypeNarrowed, "It is another.")
            .about(event)
            .field(path)
            .between(Versions {
                old: event_sdk::Version::new(1, old),
                new: event_sdk::Version::new(1, 5),
                direction: Some(direction),
            });
        finding.cause = Some(Cause {
            ty: "Price".to_owned(),
            field: Some("cents".to_owned()),
        });
        finding
    }

    #[test]
    fn the_other_way_is_that_of_the_same_event_field_and_versions() {
        let first = finding("a.b.c", "price.cents", 1, Direction::Backward);
        let same = finding("a.b.c", "price.cents", 1, Direction::Forward);
        let others = [
            finding("a.b.d", "price.cents", 1, Direction::Forward),
            finding("a.b.c", "old.cents", 1, Direction::Forward),
            finding("a.b.c", "price.cents", 0, Direction::Forward),
        ];
        let [first, one, two, three] = [&first, &others[0], &others[1], &others[2]];
        let [alone] = &of(&[first, one, two, three])[..] else {
            panic!("one cause");
        };
        assert_eq!(alone.other_way(), None);
        let [both] = &of(&[first, one, two, &same, three])[..] else {
            panic!("one cause");
        };
        assert_eq!(both.other_way(), Some(&same));
    }
}

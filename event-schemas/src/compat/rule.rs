//! `Rule`: a compatibility rule by its id, about schemas or about events.

use std::fmt;

use event_schemas_subset::Rule as SchemaRule;

use super::EventRule;

/// The rule of a finding: a rule about schemas, or a rule about events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A rule about events, versions, files or waivers.
    Event(EventRule),
    /// A rule of the engine that compares schemas.
    Schema(SchemaRule),
}

impl Rule {
    /// All rules, those about events first.
    pub fn all() -> impl Iterator<Item = Self> {
        let events = EventRule::ALL.into_iter().map(Self::Event);
        events.chain(SchemaRule::ALL.iter().copied().map(Self::Schema))
    }

    /// The rule with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        Self::all().find(|rule| rule.id() == id)
    }

    /// The ids that are most similar to an unknown id: at most three, most similar first.
    #[must_use]
    pub fn near(text: &str) -> Vec<&'static str> {
        let text = text.to_lowercase().replace(['_', ' '], "-");
        let mut ids: Vec<_> = Self::all()
            .map(|rule| {
                let id = rule.id();
                let within = text.len() > 2 && id.contains(&text);
                let likeness = strsim::jaro_winkler(&text, id);
                (if within { 1.0 } else { likeness }, id)
            })
            .filter(|(likeness, _)| *likeness > 0.8)
            .collect();
        ids.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
        ids.into_iter().take(3).map(|(_, id)| id).collect()
    }

    /// The id, in lower case with hyphens; it never changes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Event(rule) => rule.id(),
            Self::Schema(rule) => rule.id(),
        }
    }

    /// The title: what is wrong, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Event(rule) => rule.title(),
            Self::Schema(rule) => rule.title(),
        }
    }

    /// The explanation, in Markdown: what the rule means, why it matters, and how to fix a finding.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Event(rule) => rule.explanation(),
            Self::Schema(rule) => rule.explanation(),
        }
    }

    /// Whether a waiver can accept findings of this rule.
    #[must_use]
    pub const fn is_waivable(self) -> bool {
        match self {
            Self::Event(rule) => rule.is_waivable(),
            Self::Schema(_) => true,
        }
    }
}

impl From<EventRule> for Rule {
    fn from(rule: EventRule) -> Self {
        Self::Event(rule)
    }
}

impl From<SchemaRule> for Rule {
    fn from(rule: SchemaRule) -> Self {
        Self::Schema(rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_an_id_that_no_other_has() {
        let mut ids = std::collections::BTreeSet::new();
        for rule in Rule::all() {
            assert_eq!(Rule::find(rule.id()), Some(rule));
            assert!(ids.insert(rule.id()), "{rule} stands twice");
        }
    }

    #[test]
    fn near_ids_are_few_and_the_best_comes_first() {
        assert_eq!(Rule::near("event-remved")[0], "event-removed");
        assert_eq!(Rule::near("golden").len(), 3);
        assert!(Rule::near("zebra").is_empty());
    }
}

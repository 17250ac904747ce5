//! `Destination`: the subject of a message, and its form without the key for the names of spans.

use std::borrow::Cow;

use event_sdk_core::Subject;
use event_sdk_core::event::{EventSpec, KeyUse};

/// The subject of a message in a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    subject: &'a str,
    form: Form<'a>,
}

/// A span is named by one of few subjects, since tracing systems group spans by their names.
#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    /// Without a key.
    Plain,
    /// With a key behind this part and a dot.
    Keyed(&'a str),
    /// Of an event that is not known here, so that its last token may be a key.
    Unknown,
}

impl<'a> Destination<'a> {
    /// The subject of an event that this spec describes, on a bus with this prefix.
    pub(crate) fn of_event(subject: &'a Subject, prefix: &str, spec: &EventSpec) -> Self {
        Self::of_any(subject, prefix, &[spec])
    }

    /// The subject of an event of one of these types, or of another message.
    pub(crate) fn of_any(subject: &'a Subject, prefix: &str, known: &[&EventSpec]) -> Self {
        let form = known.iter().find_map(|spec| form(subject, prefix, spec));
        Self {
            subject: subject.as_str(),
            form: form.unwrap_or(Form::Unknown),
        }
    }

    pub(super) fn subject(&self) -> &'a str {
        self.subject
    }

    /// The operation, and the subject without the key if it is known.
    pub(super) fn span_name(&self, operation: &str) -> String {
        match self.low_cardinality() {
            Some(subject) => format!("{operation} {subject}"),
            None => operation.to_owned(),
        }
    }

    /// The subject with a placeholder for the key, if it has one.
    pub(super) fn template(&self) -> Option<Cow<'a, str>> {
        match self.form {
            Form::Keyed(_) => self.low_cardinality(),
            Form::Plain | Form::Unknown => None,
        }
    }

    fn low_cardinality(&self) -> Option<Cow<'a, str>> {
        match self.form {
            Form::Plain => Some(Cow::Borrowed(self.subject)),
            Form::Keyed(start) => Some(Cow::Owned(format!("{start}.{{key}}"))),
            Form::Unknown => None,
        }
    }
}

/// The form of the subject, if it is that of the event.
fn form<'a>(subject: &'a Subject, prefix: &str, spec: &EventSpec) -> Option<Form<'a>> {
    let own = if spec.is_absolute() {
        subject.as_str()
    } else {
        subject.relative_to(prefix)?
    };
    let key = own.strip_prefix(spec.subject())?;
    match spec.key_use() {
        KeyUse::InSubject if key.starts_with('.') => {
            Some(Form::Keyed(subject.as_str().strip_suffix(key)?))
        }
        KeyUse::None | KeyUse::Order if key.is_empty() => Some(Form::Plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use event_sdk_core::{Event, Readable};
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Event, Serialize, Deserialize)]
    #[event(crate = event_sdk_core, domain = "orders")]
    struct OrderPlaced {}

    #[derive(Event, Serialize, Deserialize)]
    #[event(crate = event_sdk_core, domain = "crm")]
    struct CustomerMoved {
        #[event(key, in_subject)]
        customer: String,
    }

    #[derive(Event, Serialize, Deserialize)]
    #[event(crate = event_sdk_core, absolute = "legacy.made", type = "made")]
    struct LegacyMade {}

    #[test]
    fn a_span_is_not_named_by_a_key() {
        let known = [&OrderPlaced::SPEC, &CustomerMoved::SPEC, &LegacyMade::SPEC];
        for (subject, name, template) in [
            ("a.b.orders.order.placed", "x a.b.orders.order.placed", None),
            (
                "a.b.crm.customer.moved.ada=40x",
                "x a.b.crm.customer.moved.{key}",
                Some("a.b.crm.customer.moved.{key}"),
            ),
            ("legacy.made", "x legacy.made", None),
            // Nothing is known of their last token.
            ("a.b.orders.order.placed.ada", "x", None),
            ("a.b.crm.customer.moved", "x", None),
            ("other.crm.customer.moved.ada", "x", None),
        ] {
            let subject = Subject::parse(subject).unwrap();
            let found = Destination::of_any(&subject, "a.b", &known);
            assert_eq!(found.span_name("x"), name);
            assert_eq!(found.template().as_deref(), template);
            assert_eq!(found.subject(), subject.as_str());
        }
    }
}

//! Names the rule that a break violates, and words its reason.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Diff, Written};
use crate::expr::{Atom, Expr, Lit, Origin, Scalar};
use crate::number;
use crate::path::Step;
use crate::rule::Rule;

/// How many values of an enumeration are named.
const MAX_NAMED: usize = 8;
/// How long a value is shown in a sentence, in characters.
const MAX_SHOWN: usize = 60;

/// The sentence for a value that is written and not accepted.
pub(super) fn sentence(value: &Value, requirement: &str) -> String {
    let text = value.to_string();
    let shown = if text.chars().count() > MAX_SHOWN {
        let head: String = text.chars().take(MAX_SHOWN).collect();
        format!("{head}…")
    } else {
        text
    };
    let comma = if requirement.is_empty() { "" } else { ", " };
    format!("{shown} may be written{comma}{requirement}.")
}

impl Diff<'_> {
    /// The rule of a part, where it points to beyond the path of the case, and what it asks for.
    pub(super) fn reason(&self, case: Written<'_>, part: Lit) -> (Rule, Option<Step>, String) {
        if let Some(origin) = self.solver.lowering.exprs.origin(part) {
            let (rule, step, requirement) = of_origin(origin);
            return (rule, step, requirement);
        }
        if part == Lit::FALSE {
            return (
                Rule::NothingAccepted,
                None,
                "but nothing is accepted here".to_owned(),
            );
        }
        let Expr::Atom(atom) = self.solver.lowering.exprs.get(part) else {
            return (
                Rule::Narrowed,
                None,
                "but not everything is accepted".to_owned(),
            );
        };
        if part.is_negative() {
            return (Rule::Forbidden, None, "but it is forbidden".to_owned());
        }
        let step = match atom {
            Atom::Required(name) => Some(Step::Key(name.as_ref().to_owned())),
            _ => None,
        };
        let (rule, requirement) = self.of_atom(case, atom);
        (rule, step, format!("but {requirement}"))
    }

    #[expect(clippy::too_many_lines, reason = "a table of all assertions")]
    fn of_atom(&self, case: Written<'_>, atom: &Atom) -> (Rule, String) {
        let only = |what: String| format!("only {what} accepted");
        match atom {
            Atom::Types(types) => (Rule::TypeNarrowed, only(format!("{types} is"))),
            Atom::Scalars(scalars) if !scalars.iter().any(|scalar| scalar.of_type() == case.of) => {
                (
                    Rule::TypeNarrowed,
                    format!("{} is not accepted", case.of.noun()),
                )
            }
            Atom::Scalars(scalars) if scalars.len() == 1 => (
                Rule::ConstChanged,
                only(format!("{} is", list(scalars.iter()))),
            ),
            Atom::Scalars(scalars) => (Rule::EnumNarrowed, self.of_enumeration(case, scalars)),
            Atom::MultipleOf(step) if *step == number::one() => {
                (Rule::TypeNarrowed, only("integers are".to_owned()))
            }
            Atom::MultipleOf(step) => {
                let step = number::display(step);
                (
                    Rule::MultipleOfChanged,
                    only(format!("multiples of {step} are")),
                )
            }
            Atom::Above { bound, strict } => {
                let word = if *strict {
                    "greater than"
                } else {
                    "of at least"
                };
                let bound = number::display(bound);
                (
                    Rule::BoundTightened,
                    only(format!("numbers {word} {bound} are")),
                )
            }
            Atom::Below { bound, strict } => {
                let word = if *strict { "less than" } else { "of at most" };
                let bound = number::display(bound);
                (
                    Rule::BoundTightened,
                    only(format!("numbers {word} {bound} are")),
                )
            }
            Atom::MinLength(min) => (
                Rule::LengthTightened,
                only(format!("strings of {min} characters or more are")),
            ),
            Atom::MaxLength(max) => (
                Rule::LengthTightened,
                only(format!("strings of at most {max} characters are")),
            ),
            Atom::Pattern(id) => {
                let source = self.solver.lowering.exprs.pattern_source(*id);
                (
                    Rule::PatternChanged,
                    only(format!("strings that match {source:?} are")),
                )
            }
            Atom::Format(name) => (
                Rule::FormatChanged,
                only(format!("strings in the format {name:?} are")),
            ),
            Atom::Opaque(_, why) => (Rule::FormatChanged, why.to_string()),
            Atom::MinItems(min) => (
                Rule::ItemCountTightened,
                only(format!("arrays of {min} items or more are")),
            ),
            Atom::MaxItems(max) => (
                Rule::ItemCountTightened,
                only(format!("arrays of at most {max} items are")),
            ),
            Atom::Unique => (
                Rule::UniqueItemsAdded,
                only("arrays whose items are unique are".to_owned()),
            ),
            Atom::CountMin(_, min) => (
                Rule::ContainsChanged,
                format!("{min} of the items or more must be what `contains` says"),
            ),
            Atom::CountMax(_, max) => (
                Rule::ContainsChanged,
                format!("{max} of the items at most may be what `contains` says"),
            ),
            Atom::MinProperties(min) => (
                Rule::PropertyCountTightened,
                only(format!("objects with {min} properties or more are")),
            ),
            Atom::MaxProperties(max) => (
                Rule::PropertyCountTightened,
                only(format!("objects with at most {max} properties are")),
            ),
            Atom::Required(name) => (
                Rule::RequiredAdded,
                format!("the property {name:?} is required"),
            ),
            Atom::Names(_) => (
                Rule::PropertyNameRefused,
                "the name of a property is refused".to_owned(),
            ),
            Atom::ItemAt(..) | Atom::ItemsFrom(..) | Atom::Each(..) => (
                Rule::Narrowed,
                "not everything is accepted in it".to_owned(),
            ),
        }
    }

    /// Names the values that are written and not among those of the enumeration.
    fn of_enumeration(&self, case: Written<'_>, accepted: &BTreeSet<Scalar>) -> String {
        let written = case
            .atoms
            .iter()
            .filter(|lit| !lit.is_negative())
            .find_map(|lit| match self.solver.lowering.exprs.get(*lit) {
                Expr::Atom(Atom::Scalars(scalars)) => Some(scalars),
                _ => None,
            });
        let accepted_list = list(accepted.iter());
        let refused: Vec<&Scalar> = written
            .into_iter()
            .flat_map(|written| written.difference(accepted))
            .filter(|scalar| scalar.of_type() == case.of)
            .collect();
        if refused.len() > 1 {
            let refused = list(refused.into_iter());
            return format!("only {accepted_list} are accepted, and none of {refused}");
        }
        format!("only {accepted_list} are accepted")
    }
}

fn of_origin(origin: &Origin) -> (Rule, Option<Step>, String) {
    let (rule, requirement) = match origin {
        Origin::Variants(_) => (Rule::VariantRemoved, "but no variant accepts it".to_owned()),
        Origin::Ambiguous => (
            Rule::VariantAmbiguous,
            "but two variants accept it where exactly one must".to_owned(),
        ),
        Origin::Enum => (
            Rule::EnumNarrowed,
            "but it is none of the values listed".to_owned(),
        ),
        Origin::Const => (
            Rule::ConstChanged,
            "but only one constant is accepted".to_owned(),
        ),
        Origin::Not => (Rule::Forbidden, "but `not` refuses it".to_owned()),
        Origin::Condition => (
            Rule::ConditionTightened,
            "but `if` asks for more".to_owned(),
        ),
        Origin::DependentRequired(name, need) => {
            let requirement = format!("but with {name:?} the property {need:?} is required");
            let step = Some(Step::Key(need.as_ref().to_owned()));
            return (Rule::DependentRequired, step, requirement);
        }
        Origin::DependentSchema(name) => (
            Rule::ConditionTightened,
            format!("but with the property {name:?} more is asked for"),
        ),
        Origin::UnevaluatedProperty(name) => {
            let requirement = format!("but the property {name:?} is refused");
            let step = Some(Step::Key(name.as_ref().to_owned()));
            return (Rule::PropertyRefused, step, requirement);
        }
        Origin::Unevaluated(_) => (
            Rule::PropertyRefused,
            "but a property or an item in it is refused".to_owned(),
        ),
    };
    (rule, None, requirement)
}

/// Values as `"a", "b" or "c"`.
fn list<'s>(scalars: impl Iterator<Item = &'s Scalar>) -> String {
    let mut shown: Vec<String> = scalars
        .map(|scalar| {
            scalar
                .to_json()
                .map_or("…".to_owned(), |value| value.to_string())
        })
        .collect();
    if shown.len() > MAX_NAMED {
        let more = shown.len() - MAX_NAMED + 1;
        shown.truncate(MAX_NAMED - 1);
        shown.push(format!("{more} more"));
    }
    match shown.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

//! `Rule`: the schema rules that a change can break, with ids such as `bound-tightened`.

use std::fmt;

/// The kind of a [`Break`](crate::Break): why the second schema refuses documents that the first
/// one accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A property is required, but the other side may leave it out.
    RequiredAdded,
    /// A property is refused, but the other side may write it.
    PropertyRefused,
    /// A type of value is no longer accepted.
    TypeNarrowed,
    /// A value of an enumeration is no longer accepted.
    EnumNarrowed,
    /// A constant has changed.
    ConstChanged,
    /// A number's range is smaller.
    BoundTightened,
    /// A number must be a multiple of something else.
    MultipleOfChanged,
    /// A string's length has tighter bounds.
    LengthTightened,
    /// A string must match another pattern.
    PatternChanged,
    /// A string must have another format.
    FormatChanged,
    /// An array's length has tighter bounds.
    ItemCountTightened,
    /// An array's items must be unique.
    UniqueItemsAdded,
    /// An array must contain something else.
    ContainsChanged,
    /// An item may be written at an index where no item is accepted.
    ItemRefused,
    /// The number of an object's properties has tighter bounds.
    PropertyCountTightened,
    /// A property's name is refused.
    PropertyNameRefused,
    /// A property requires another property.
    DependentRequired,
    /// No variant accepts the data of a variant of the other side.
    VariantRemoved,
    /// More than one variant accepts a value, where exactly one must.
    VariantAmbiguous,
    /// A value may be written that `not` excludes.
    Forbidden,
    /// A condition (`if`, `dependentSchemas`) requires more.
    ConditionTightened,
    /// Nothing at all is accepted.
    NothingAccepted,
    /// Something is refused for reasons that no other rule names.
    Narrowed,
}

macro_rules! rules {
    ($($rule:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        impl Rule {
            /// All rules.
            pub const ALL: &[Rule] = &[$(Rule::$rule),*];

            /// The stable name, for reports and waivers.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$rule => $id),* }
            }

            /// The rule in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Rule::$rule => $title),* }
            }

            /// The explanation: what the rule means, why the change breaks, and how to fix it in
            /// general.
            pub const fn explanation(self) -> &'static str {
                match self { $(Rule::$rule => $explanation),* }
            }
        }
    };
}

rules! {
    RequiredAdded = "required-added", "a property became required", "The reader asks for a property that the writer may leave out. Documents without it, also those that are stored already, are refused. Make it optional or give it a default on the reading side; or write it always, and wait until no document without it is left.";
    PropertyRefused = "property-refused", "a property is refused", "The writer writes a property that the reader does not accept, because it refuses properties that it does not name, or refuses this one. Name the property on the reading side, or let the reader ignore what it does not know.";
    TypeNarrowed = "type-narrowed", "a type is no longer accepted", "The writer writes a type of value (for example null, or a fraction) that the reader does not accept. Accept both types on the reading side, or give the changed field a new name.";
    EnumNarrowed = "enum-narrowed", "a value of an enumeration is no longer accepted", "The writer writes a value that is not among those of the reader. Teach the reader the value, or a variant for what it does not know, before it is written; a value that was removed stays readable as long as documents with it are stored.";
    ConstChanged = "const-changed", "a constant changed", "The reader accepts one constant value only, and the writer writes another. A changed constant is a new kind of document: accept both, or give it a new name.";
    BoundTightened = "bound-tightened", "a number's range is smaller", "The writer writes numbers outside the range that the reader accepts. Widen the range of the reader first, or check the bound where the value is used.";
    MultipleOfChanged = "multiple-of-changed", "a number must be a multiple", "The writer writes numbers that are not multiples of what the reader asks for. Drop the constraint on the reading side, or keep the old one.";
    LengthTightened = "length-tightened", "a string's length is limited more", "The writer writes strings that are shorter or longer than the reader accepts. Widen the bounds of the reader first.";
    PatternChanged = "pattern-changed", "a pattern changed", "The writer writes strings that the pattern of the reader does not match. Let the pattern accept what was accepted before.";
    FormatChanged = "format-changed", "a format changed", "The writer writes strings (or numbers) that do not have the format which the reader asks for. Keep the old format, or give the field a new name.";
    ItemCountTightened = "item-count-tightened", "an array's length is limited more", "The writer writes arrays with fewer or more items than the reader accepts. Widen the bounds of the reader first.";
    UniqueItemsAdded = "unique-items-added", "items must be unique", "The writer may write an item twice, and the reader refuses that. Drop the constraint, or remove duplicates on the reading side.";
    ContainsChanged = "contains-changed", "an array must contain something else", "The reader asks for arrays that contain (or do not contain too many of) certain items, and the writer writes others. Drop the constraint, or check it where the value is used.";
    ItemRefused = "item-refused", "an item is refused", "The writer writes an item at an index at which the reader accepts none. Let the reader accept longer arrays.";
    PropertyCountTightened = "property-count-tightened", "the number of properties is limited more", "The writer writes objects with fewer or more properties than the reader accepts. Widen the bounds of the reader first.";
    PropertyNameRefused = "property-name-refused", "a property's name is refused", "The writer writes a property whose name the reader does not accept. Let the reader accept the names that were accepted before.";
    DependentRequired = "dependent-required", "a property asks for another one", "Where one property is there the reader asks for another, and the writer may write the one without the other. Make the other one optional on the reading side.";
    VariantRemoved = "variant-removed", "a variant is no longer accepted", "The writer writes a variant that none of the reader's variants accepts. Teach the reader the variant before it is written; one that was removed stays readable as long as documents with it are stored.";
    VariantAmbiguous = "variant-ambiguous", "several variants accept the same", "The reader asks that exactly one of its variants (`oneOf`) accepts a document, and more than one does. Tell the variants apart by a tag, or use `anyOf`.";
    Forbidden = "forbidden", "what was accepted is forbidden", "The reader refuses with `not` what the writer writes. Drop the constraint on the reading side.";
    ConditionTightened = "condition-tightened", "a condition asks for more", "A condition of the reader (`if`, `dependentSchemas`) asks for more than the writer keeps to. Widen it on the reading side.";
    Narrowed = "narrowed", "something is no longer accepted", "Taken together, the reader's constraints refuse something that the writer writes, and no single one of them is the reason. Look at the document that shows it.";
    NothingAccepted = "nothing-accepted", "nothing is accepted", "The reader's schema is `false` or contradicts itself, so that it refuses every value here. Say what is accepted, or drop the schema.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let ids: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for id in ids {
            assert!(
                id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{id}"
            );
        }
    }
}

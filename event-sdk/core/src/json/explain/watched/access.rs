//! Serde access wrappers that record the path of each element, entry and variant for an error.

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::super::{Fault, Step, Tracker};
use super::{WatchedSeed, WatchedVisitor};

/// The elements of a sequence.
pub(super) struct WatchedSeq<'t, A> {
    inner: A,
    tracker: &'t Tracker,
    index: usize,
}

impl<'t, A> WatchedSeq<'t, A> {
    pub(super) fn new(inner: A, tracker: &'t Tracker) -> Self {
        Self {
            inner,
            tracker,
            index: 0,
        }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for WatchedSeq<'_, A> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let index = self.index;
        self.index += 1;
        self.inner
            .next_element_seed(WatchedSeed::value(seed, self.tracker))
            .map_err(|error| self.tracker.unstash(&error).at(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The entries of a map, or the fields of a struct.
pub(super) struct WatchedMap<'t, A> {
    inner: A,
    tracker: &'t Tracker,
    /// The names of all fields, if it is a struct that says them.
    fields: &'static [&'static str],
    /// Where the next value stands.
    step: Step,
}

impl<'t, A> WatchedMap<'t, A> {
    pub(super) fn new(inner: A, tracker: &'t Tracker, fields: &'static [&'static str]) -> Self {
        Self {
            inner,
            tracker,
            fields,
            step: Step::Entry,
        }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WatchedMap<'_, A> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        self.tracker.key.replace(None);
        let key = self
            .inner
            .next_key_seed(WatchedSeed::key(seed, self.tracker))
            .map_err(|error| self.tracker.unstash(&error));
        self.step = match self.tracker.key.take() {
            Some(Step::Name(name)) if !self.fields.contains(&name.as_str()) => Step::Likely(name),
            step => step.unwrap_or(Step::Entry),
        };
        // A key that is refused is data, whatever it was taken for.
        key.map_err(|fault| fault.at(Step::Entry))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        self.inner
            .next_value_seed(WatchedSeed::value(seed, self.tracker))
            .map_err(|error| self.tracker.unstash(&error).at(self.step.clone()))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The variant of an enum.
pub(super) struct WatchedEnum<'t, A> {
    inner: A,
    tracker: &'t Tracker,
}

impl<'t, A> WatchedEnum<'t, A> {
    pub(super) fn new(inner: A, tracker: &'t Tracker) -> Self {
        Self { inner, tracker }
    }
}

impl<'de, 't, A: EnumAccess<'de>> EnumAccess<'de> for WatchedEnum<'t, A> {
    type Error = Fault;
    type Variant = WatchedVariant<'t, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Fault> {
        let tracker = self.tracker;
        tracker.key.replace(None);
        let (value, inner) = self
            .inner
            .variant_seed(WatchedSeed::key(seed, tracker))
            .map_err(|error| tracker.unstash(&error))?;
        let step = tracker.key.borrow().clone();
        let variant = WatchedVariant {
            inner,
            tracker,
            step: step.unwrap_or(Step::Entry),
        };
        Ok((value, variant))
    }
}

/// What a variant holds.
pub(super) struct WatchedVariant<'t, A> {
    inner: A,
    tracker: &'t Tracker,
    /// The name of the variant.
    step: Step,
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for WatchedVariant<'_, A> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        let tracker = self.tracker;
        // What the deserializer expects itself, before a visitor of ours is asked.
        tracker.expected.replace(Some("unit".to_owned()));
        let unit = self.inner.unit_variant();
        unit.map_err(|error| tracker.unstash(&error).at(self.step))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        let tracker = self.tracker;
        tracker.expected.replace(Some("newtype variant".to_owned()));
        let seed = WatchedSeed::value(seed, tracker);
        let newtype = self.inner.newtype_variant_seed(seed);
        newtype.map_err(|error| tracker.unstash(&error).at(self.step))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        let tracker = self.tracker;
        tracker.expected.replace(Some("tuple variant".to_owned()));
        let visitor = WatchedVisitor::new(visitor, tracker, None);
        let tuple = self.inner.tuple_variant(len, visitor);
        tuple.map_err(|error| tracker.unstash(&error).at(self.step))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let tracker = self.tracker;
        tracker.expected.replace(Some("struct variant".to_owned()));
        let visitor = WatchedVisitor::new(visitor, tracker, None).of_struct(fields);
        let object = self.inner.struct_variant(fields, visitor);
        object.map_err(|error| tracker.unstash(&error).at(self.step))
    }
}

//! A version's two schemas (written and read), prepared for comparison in a content model.

use event_schemas_subset::{Comparison, Schema, SchemaError, Verdict, compare};
use serde_json::Value;

use super::{ContentModel, Contract};
use crate::schema::contract;

/// The schemas of one version as they are compared: the writer closed, since it writes
/// what it declares and nothing else; the reader as the content model says.
pub(super) struct Prepared<'a> {
    pub(super) contract: &'a Contract,
    writer: Schema,
    reader: Schema,
}

impl<'a> Prepared<'a> {
    /// `known` are versions that are prepared already: what a schema of theirs says word for
    /// word is not read again.
    pub(super) fn new(
        contract: &'a Contract,
        model: ContentModel,
        known: &[Prepared<'_>],
    ) -> Result<Self, BadSchema> {
        let bad = |side| {
            move |source| BadSchema {
                subject: contract.facts.subject.clone(),
                version: contract.version,
                side,
                file: contract.file.clone(),
                source: Box::new(source),
            }
        };
        let writer = known
            .iter()
            .find(|known| known.contract.writer == contract.writer)
            .map(|known| Ok(known.writer.clone()));
        let reader = known
            .iter()
            .find(|known| known.contract.reader == contract.reader)
            .map(|known| Ok(known.reader.clone()));
        let writer = writer
            .unwrap_or_else(|| Schema::parse(&contract.writer).and_then(|schema| schema.closed()));
        let reader = reader.unwrap_or_else(|| {
            Schema::parse(&contract.reader).and_then(|schema| match model {
                ContentModel::Tolerant => Ok(schema),
                ContentModel::Strict => schema.closed(),
            })
        });
        Ok(Self {
            contract,
            writer: writer.map_err(bad("writer"))?,
            reader: reader.map_err(bad("reader"))?,
        })
    }

    /// Whether `reader` reads what this version writes.
    pub(super) fn read_by(&self, reader: &Self) -> Comparison {
        compare(&self.writer, &reader.reader)
    }

    /// Whether both sides mean the same as those of `other`, however they are written.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let (one, two) = (self.contract, other.contract);
        equivalent((&one.writer, &self.writer), (&two.writer, &other.writer))
            && equivalent((&one.reader, &self.reader), (&two.reader, &other.reader))
    }

    /// Whether the writer is, texts aside, written as that of `other`.
    pub(super) fn has_writer_of(&self, other: &Self) -> bool {
        contract::same(&self.contract.writer, &other.contract.writer)
    }

    /// Whether the reader is, texts aside, written as that of `other`.
    pub(super) fn has_reader_of(&self, other: &Self) -> bool {
        contract::same(&self.contract.reader, &other.contract.reader)
    }
}

fn equivalent(one: (&Value, &Schema), other: (&Value, &Schema)) -> bool {
    let within = |one, other| compare(one, other).verdict() == Verdict::Contained;
    contract::same(one.0, other.0) || (within(one.1, other.1) && within(other.1, one.1))
}

/// A schema cannot be compared, because it is not a JSON Schema.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: the schema of {subject} {version} as {side} cannot be used; put the file right, or take it back from git"
)]
pub struct BadSchema {
    subject: String,
    version: event_sdk::envelope::Version,
    side: &'static str,
    file: String,
    source: Box<SchemaError>,
}

//! `streams verify`: what is missing, what was changed by hand, and streams that overlap.

use event_sdk_topology::Finding;
use serde::Serialize;

use super::plan::{DifferenceRow, ItemRow, OverlapRow};
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// A finding as JSON.
#[derive(Serialize)]
struct Row {
    /// `missing`, `drift` or `overlap`.
    finding: &'static str,
    #[serde(flatten)]
    item: Option<ItemRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<DifferenceRow>,
    /// The other stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<OverlapRow>,
    /// The finding as a sentence.
    sentence: String,
}

pub(super) async fn run(context: &mut Context<'_>) -> Result<Outcome, OpsError> {
    let topology = context.topology()?;
    let verification = topology.verify(&context.bus().await?).await?;
    let output = &mut context.output;
    if output.json {
        let findings: Vec<_> = verification.findings.iter().map(Row::new).collect();
        output.json(&findings)?;
    } else {
        output.texts(&verification)?;
    }
    Ok(if verification.is_clean() {
        Outcome::Done
    } else {
        Outcome::Found
    })
}

impl Row {
    fn new(finding: &Finding) -> Self {
        let mut row = Self {
            finding: "other",
            item: None,
            differences: Vec::new(),
            other: None,
            sentence: finding.to_string(),
        };
        match finding {
            Finding::Missing(item) => {
                row.finding = "missing";
                row.item = Some(ItemRow::new(item));
            }
            Finding::Drift { item, differences } => {
                row.finding = "drift";
                row.item = Some(ItemRow::new(item));
                row.differences = DifferenceRow::all(differences);
            }
            Finding::Overlap { item, other } => {
                row.finding = "overlap";
                row.item = Some(ItemRow::new(item));
                row.other = Some(OverlapRow::new(other));
            }
            _ => {}
        }
        row
    }
}

//! `streams plan`: what applying the topology would change.

use event_sdk::transport::Difference;
use event_sdk_topology::{Action, Item, Overlap, Plan, Planned, Reservation, TierReservations};
use serde::Serialize;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

pub(super) async fn run(context: &mut Context<'_>) -> Result<Outcome, OpsError> {
    let topology = context.topology()?;
    let plan = topology.plan(&context.bus().await?).await?;
    show(context, &plan)
}

/// Writes a plan. Something needs attention if it changes anything, or cannot be applied.
pub(super) fn show(context: &mut Context<'_>, plan: &Plan) -> Result<Outcome, OpsError> {
    let output = &mut context.output;
    if output.json {
        output.json(&PlanRow::new(plan))?;
    } else {
        output.texts(plan)?;
    }
    Ok(if plan.is_empty() && plan.is_possible() {
        Outcome::Done
    } else {
        Outcome::Found
    })
}

/// A plan as JSON.
#[derive(Serialize)]
struct PlanRow {
    /// Whether everything matches already.
    unchanged: bool,
    /// Whether it can be applied.
    possible: bool,
    parts: Vec<PartRow>,
    file_bytes: ReservationRow,
    memory_bytes: ReservationRow,
    streams: ReservationRow,
    /// The same for each number of replicas, in an account whose limits depend on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tiers: Vec<TierRow>,
    /// Streams without a maximum of bytes.
    unlimited: Vec<String>,
    /// What to know before it is applied.
    warnings: Vec<String>,
    /// The checks that were left out, each with its reason.
    unchecked: Vec<String>,
}

/// A tier as JSON: the streams of one number of replicas reserve so much of its limits.
#[derive(Serialize)]
struct TierRow {
    replicas: u8,
    file_bytes: ReservationRow,
    memory_bytes: ReservationRow,
    streams: ReservationRow,
}

#[derive(Serialize)]
struct PartRow {
    #[serde(flatten)]
    item: ItemRow,
    /// `create`, `change`, `keep` or `refuse`.
    action: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<DifferenceRow>,
    /// The settings whose change can delete stored events at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    losses: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overlaps: Vec<OverlapRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<String>,
}

/// A part of a topology as JSON.
#[derive(Serialize)]
pub(super) struct ItemRow {
    /// `stream`, `consumer` or `bucket`.
    kind: &'static str,
    name: String,
    /// The stream of a consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
}

/// A setting that differs, as JSON.
#[derive(Serialize)]
pub(super) struct DifferenceRow {
    setting: &'static str,
    existing: String,
    wanted: String,
}

/// Another stream with some of the subjects, as JSON.
#[derive(Serialize)]
pub(super) struct OverlapRow {
    stream: String,
    subjects: Vec<String>,
    is_declared: bool,
}

#[derive(Serialize)]
struct ReservationRow {
    before: u64,
    after: u64,
    limit: Option<u64>,
}

impl PlanRow {
    fn new(plan: &Plan) -> Self {
        let reservations = &plan.reservations;
        Self {
            unchanged: plan.is_empty(),
            possible: plan.is_possible(),
            parts: plan.parts.iter().map(PartRow::new).collect(),
            file_bytes: ReservationRow::new(reservations.file),
            memory_bytes: ReservationRow::new(reservations.memory),
            streams: ReservationRow::new(reservations.streams),
            tiers: reservations.tiers.iter().map(TierRow::new).collect(),
            unlimited: reservations
                .unlimited
                .iter()
                .map(ToString::to_string)
                .collect(),
            warnings: plan.warnings.clone(),
            unchecked: plan.unchecked.clone(),
        }
    }
}

impl PartRow {
    fn new(part: &Planned) -> Self {
        let mut row = Self {
            item: ItemRow::new(&part.item),
            action: "keep",
            differences: Vec::new(),
            losses: part.losses.iter().map(|loss| loss.field).collect(),
            reason: None,
            overlaps: Vec::new(),
            steps: Vec::new(),
        };
        match &part.action {
            Action::Create => row.action = "create",
            Action::Change(differences) => {
                row.action = "change";
                row.differences = DifferenceRow::all(differences);
            }
            Action::Refuse(refusal) => {
                row.action = "refuse";
                row.differences = DifferenceRow::all(&refusal.differences);
                row.reason = Some(refusal.reason.clone());
                row.overlaps = refusal.overlaps.iter().map(OverlapRow::new).collect();
                row.steps.clone_from(&refusal.steps);
            }
            _ => {}
        }
        row
    }
}

impl ItemRow {
    pub(super) fn new(item: &Item) -> Self {
        let (kind, name, stream) = match item {
            Item::Stream(name) => ("stream", name.to_string(), None),
            Item::Bucket(name) => ("bucket", name.to_string(), None),
            Item::Durable { stream, durable } => {
                ("consumer", durable.to_string(), Some(stream.to_string()))
            }
            other => ("other", other.to_string(), None),
        };
        Self { kind, name, stream }
    }
}

impl DifferenceRow {
    pub(super) fn all(differences: &[Difference]) -> Vec<Self> {
        let row = |difference: &Difference| Self {
            setting: difference.field,
            existing: difference.existing.clone(),
            wanted: difference.wanted.clone(),
        };
        differences.iter().map(row).collect()
    }
}

impl OverlapRow {
    pub(super) fn new(overlap: &Overlap) -> Self {
        Self {
            stream: overlap.stream.to_string(),
            subjects: overlap.subjects.iter().map(ToString::to_string).collect(),
            is_declared: overlap.is_declared,
        }
    }
}

impl TierRow {
    const fn new(tier: &TierReservations) -> Self {
        Self {
            replicas: tier.replicas,
            file_bytes: ReservationRow::new(tier.file),
            memory_bytes: ReservationRow::new(tier.memory),
            streams: ReservationRow::new(tier.streams),
        }
    }
}

impl ReservationRow {
    const fn new(reservation: Reservation) -> Self {
        Self {
            before: reservation.before,
            after: reservation.after,
            limit: reservation.limit,
        }
    }
}
